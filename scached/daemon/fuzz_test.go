package daemon

import "testing"

// FuzzConfig reads a main.cf and expands a value with it. Neither may panic,
// and what is read is what reading it again gives.
func FuzzConfig(f *testing.F) {
	for _, test := range evalTests {
		f.Add("a = 1\n b\n#c\nd=$a\n", test.value)
	}
	f.Add(" a = 1\n\n b\nc=\x00\n= 2", "$")
	f.Fuzz(func(t *testing.T, text, value string) {
		lines := lineReader{name: "main.cf", text: []byte(text), warn: func(string) {}}
		for {
			line, number, ok := lines.next()
			if !ok {
				break
			}
			if number < 1 || number > len(text)+1 {
				t.Errorf("line number %d", number)
			}
			name, assigned, err := splitNameValue(line)
			if err != nil {
				continue
			}
			name2, assigned2, err := splitNameValue(" " + name + "\t=\n" + assigned + " ")
			if err != nil || name2 != name || assigned2 != assigned {
				t.Errorf("%q = %q became %q = %q, %v", name, assigned, name2, assigned2, err)
			}
		}
		c, warnings := evalConfig(evalValues)
		if _, err := c.eval(value); err == errMacro && len(*warnings) == 0 {
			t.Error("an error without a warning")
		}
	})
}
