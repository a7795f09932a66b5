package operator

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// A Table has columns that are as wide as their contents, unless that is too wide
// for the terminal.
type Table struct {
	Header []string
	Rows   [][]string
	Right  map[int]bool // columns that are aligned on the right
}

const gap = "  "

// least is how narrow a column can become.
const least = 8

// Lines are the table's lines, at most width wide if that can be; 0 is for any.
func (t *Table) Lines(width int) []string {
	widths := make([]int, len(t.Header))
	all := append([][]string{t.Header}, t.Rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	if width > 0 {
		t.fit(widths, width)
	}
	lines := make([]string, len(all))
	for n, row := range all {
		var line strings.Builder
		for i, cell := range row {
			cell = cut(cell, widths[i])
			space := strings.Repeat(" ", widths[i]-ansi.StringWidth(cell))
			switch {
			case t.Right[i]:
				line.WriteString(space + cell + gap)
			default:
				line.WriteString(cell + space + gap)
			}
		}
		lines[n] = strings.TrimRight(line.String(), " ")
	}
	return lines
}

// fit takes from the widest column as long as the table is too wide.
func (t *Table) fit(widths []int, width int) {
	total := len(gap) * (len(widths) - 1)
	for _, w := range widths {
		total += w
	}
	for ; total > width; total-- {
		widest := 0
		for i, w := range widths {
			if w > widths[widest] {
				widest = i
			}
		}
		if widths[widest] <= least {
			return
		}
		widths[widest]--
	}
}

// cut is text that is at most so many columns wide, of which some characters take
// two; an ellipsis stands for what is missing.
func cut(text string, width int) string { return ansi.Truncate(text, width, "…") }
