package ingest

import (
	"html"
	"regexp"
	"strings"
)

// markup matches the tags of HTML that people write into descriptions; anything
// else between angle brackets, such as <id>, is text.
var markup = regexp.MustCompile(`(?i)<(/?)(p|br|div|li|ul|ol|h[1-6]|tr|table|tbody|thead|td|th|pre|blockquote|hr|code|a|b|i|em|strong|span|sup|sub|img|u|font)(?:\s[^<>]*)?/?>`)

// readable removes the markup of HTML from a description and keeps its lines.
func readable(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	s = markup.ReplaceAllStringFunc(s, func(tag string) string {
		switch strings.ToLower(markup.FindStringSubmatch(tag)[2]) {
		case "code":
			return "`"
		case "a", "b", "i", "em", "strong", "span", "sup", "sub", "img", "u", "font":
			return ""
		case "td", "th":
			return " "
		}
		return "\n"
	})
	return strings.ReplaceAll(html.UnescapeString(s), "\u00a0", " ")
}
