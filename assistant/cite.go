package assistant

import (
	"regexp"
	"strconv"
	"strings"
)

var (
	documentMark = regexp.MustCompile(`(?i)<(\s*/?\s*document\b)`)
	// citationMark finds code, in which brackets are no citations, or a citation.
	citationMark = regexp.MustCompile("(?s)```.*?(?:```|$)|`[^`\n]*`|[ \t]*\\[\\d{1,9}\\]")
)

// cite ties the citations in the text to the sources, and removes those that
// refer to none.
func cite(a *Answer) {
	seen := make(map[int]bool)
	a.Text = citationMark.ReplaceAllStringFunc(a.Text, func(match string) string {
		if strings.HasPrefix(match, "`") {
			return match
		}
		digits := strings.Trim(match, " \t[]")
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > len(a.Sources) {
			a.Unknown++
			return ""
		}
		if !seen[n] {
			seen[n] = true
			a.Citations = append(a.Citations, a.Sources[n-1])
		}
		return match
	})
	a.Grounded = len(a.Citations) > 0
}
