package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// progress shows how far a command is: a bar on a terminal, a line for each step
// otherwise.
type progress struct {
	out         io.Writer
	done, total int
	bar         bool
}

func newProgress(out io.Writer, total int) *progress {
	p := &progress{out: out, total: total}
	if f, ok := out.(*os.File); ok {
		info, err := f.Stat()
		p.bar = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return p
}

const barWidth = 30

// step says what one more step did.
func (p *progress) step(what string) {
	p.done++
	if !p.bar {
		fmt.Fprintf(p.out, "%d/%d %s\n", p.done, p.total, what)
		return
	}
	full := barWidth * p.done / max(p.total, 1)
	fmt.Fprintf(p.out, "\r\x1b[K%s\n[%s%s] %d/%d", what, strings.Repeat("#", full), strings.Repeat(".", barWidth-full), p.done, p.total)
}

// end leaves the line of the bar.
func (p *progress) end() {
	if p.bar {
		fmt.Fprintln(p.out)
	}
}
