package daemon

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// evalValues are the parameters that the values of evalTests refer to.
var evalValues = map[string]string{
	"a": "A", "b": "b-$a", "empty": "", "n9": "9", "n10": "10", "loop": "$loop", "twice": "$twice $twice",
	"level": "3.6", "broken": "${", "big": "99999999999999999999",
}

type evalTest struct {
	name     string // or the value
	value    string
	want     string
	warnings []string
	err      string // by default that of a macro error, if there are warnings
}

var evalTests = []evalTest{
	{value: "", want: ""},
	{value: "plain {text} (here)", want: "plain {text} (here)"},
	{value: "$a ${a} $(a) $b", want: "A A A b-A"},
	{value: "$a-$nothing-${ b }", want: "A--b-A"},
	{value: "$$a $$$a $$", want: "$a $A $"},
	{value: "${a?yes} ${empty?yes} ${nothing?yes}", want: "yes  "},
	{value: "${a:no} ${empty:no} ${nothing:no}", want: " no no"},
	{value: "${a?{yes}:{no}}${empty?{yes}:{no}}", want: "yesno"},
	{value: "${a ? {yes} : {no} }", want: "yes"},
	{value: "${a?{$b}:no}${empty?{yes}:$b}", want: "b-Ab-A"},
	{value: "${a??{x}:y}", want: "?{x}:y"},
	{value: "${a?x:y}", want: "x:y"},
	{value: "$(a?{x})", want: "x"},
	{value: "${{$a} == {A}}", want: "true"},
	{value: "${{$a} != {A}}", want: ""},
	{value: "${{$n9} < {$n10} ? {number} : {text}}", want: "number"},
	{value: "${{x9} < {x10} ? {number} : {text}}", want: "text"},
	{value: "${{$n9}<={09}?{y}:{n}}${{9} >= {10} ? {y} : {n}}${{b} > {a}?y}", want: "yny"},
	{value: "${{$level} >=level {3.10} ? {new} : {old}}", want: "old"},
	{value: "${{3.6.1} >level {3.6}:{no}}", want: ""},
	{value: "${nope", warnings: []string{`truncated macro reference: "${nope"`}},
	{value: "x $(a} y", warnings: []string{`truncated macro reference: "x $(a} y"`}},
	{value: "$", warnings: []string{`empty macro name: "$"`}},
	{value: "a${}b", warnings: []string{`empty macro name: "a${}b"`}},
	{value: "$-", warnings: []string{`empty macro name: "$-"`}},
	{value: "${a-b}", warnings: []string{`attribute name syntax error at: "...a>>>-b"`}},
	{value: "${a b}", warnings: []string{`attribute name syntax error at: "...a>>> b"`}},
	{value: "${ x.0123456789012345678901}", warnings: []string{`attribute name syntax error at: "... x>>>.0123456789012345678"`}},
	{value: "${a?{x}y}", warnings: []string{`":" expected at: "...x}>>>y"`}},
	{value: "${a?{x}:{y}z}", warnings: []string{`unexpected input at: "...y}>>>z"`}},
	{value: "${empty:{y} z}", warnings: []string{`unexpected input at: "...y}>>>z"`}},
	{value: "$(a?{x)", warnings: []string{`unbalanced {} in attribute expression: "{x"`}},
	{value: "$({x)", warnings: []string{`unbalanced {} in attribute expression: "{x"`}},
	{value: "${{x}}", warnings: []string{`"==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "...x}>>>"`}},
	{value: "${{x} = {y}}", warnings: []string{`"==" or "!="" or "<"" or "<="" or ">="" or ">" expected at: "...x}>>>= {y}"`}},
	{value: "${{x} == y}", warnings: []string{`"{expression}" expected at: "...{x} ==>>> y"`}},
	{value: "$({x} == {y)", warnings: []string{`unbalanced {} in attribute expression: "{y"`}},
	{value: "${{x} == {y} z}", warnings: []string{`"?" or ":" expected at: "...}>>>z"`}},
	{value: "${{1} ==lever {1}}", warnings: []string{`bad operator suffix at: "...==>>>lever"`}},
	{value: "${{x} <level {y}}", warnings: []string{`malformed compatibility level syntax: "x"`}},
	{value: "${{1} <level {1.}}", warnings: []string{`malformed compatibility level syntax: "1."`}},
	{value: "${{$broken} == {$}}", warnings: []string{`truncated macro reference: "${"`, `empty macro name: "$"`}},
	{value: "$broken $a ${b} $", warnings: []string{`truncated macro reference: "${"`}},
	{value: "${{$big} == {1}}", err: "mac_exp_eval: bad conversion: 99999999999999999999"},
	{value: "$loop", warnings: []string{`unreasonable macro call nesting: "loop"`}},
	{value: "$twice", warnings: nestedTwice()},
	{name: "nested as deep as may be", value: nested(100), want: "x"},
	{name: "nested too deep", value: nested(101), warnings: []string{`unreasonable macro call nesting: "x"`}},
	{name: "nested far too deep", value: nested(102), warnings: []string{`unreasonable macro call nesting: "a?{x}"`}},
}

func nested(levels int) string {
	return strings.Repeat("${a?{", levels) + "x" + strings.Repeat("}}", levels)
}

func nestedTwice() []string {
	all := []string{`unreasonable macro call nesting: "twice"`}
	for range 101 {
		all = append(all, `unreasonable macro call nesting: " "`, all[0])
	}
	return all
}

func (e *evalTest) String() string {
	if e.name != "" {
		return e.name
	}
	return e.value
}

func (e *evalTest) failure() string {
	if e.err == "" && len(e.warnings) > 0 {
		return "dictionary mail_dict: macro processing error"
	}
	return e.err
}

func TestEval(t *testing.T) {
	for _, test := range evalTests {
		t.Run(test.String(), func(t *testing.T) {
			c, warnings := evalConfig(evalValues)
			got, err := c.eval(test.value)
			if got != test.want || errorText(err) != test.failure() {
				t.Errorf("got %q, error %q; want %q, error %q", got, errorText(err), test.want, test.failure())
			}
			if diff := cmp.Diff(test.warnings, *warnings, cmpEmpty); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}
