package verify

import (
	"net/http"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// rawHTTP reads the messages of a block: request line, headers, a blank line, the
// body. ### stands between requests, as in files of HTTP clients.
func (c *checker) rawHTTP(b block, language string) {
	for at := b.start; at < b.end; {
		next := lineEnd(c.text[:b.end], at)
		if _, _, ok := requestLine(c.text[at:next]); !ok {
			at = next
			continue
		}
		var r *request
		r, at = c.message(at, b.end)
		c.report(b, language, r)
	}
}

// requestLine reads "GET /x HTTP/1.1".
func requestLine(line string) (method, target string, ok bool) {
	words := strings.Fields(line)
	if len(words) < 2 || !method1(words[0]) || len(words) > 3 || len(words) == 3 && !strings.HasPrefix(words[2], "HTTP/") {
		return "", "", false
	}
	if !strings.HasPrefix(words[1], "/") && !strings.Contains(words[1], "://") && variableEnd(words[1]) == 0 {
		return "", "", false
	}
	return words[0], words[1], true
}

func method1(s string) bool { return method.FindString(s) == s && s != "" }

// message reads one request, and returns where it ends.
func (c *checker) message(at, end int) (*request, int) {
	r := newRequest()
	next := lineEnd(c.text[:end], at)
	verb, target, _ := requestLine(c.text[at:next])
	start := at + strings.Index(c.text[at:next], target)
	r.method = text{{s: verb}}
	url := piece{s: target, start: start, end: start + len(target)}
	bare := !strings.Contains(c.text[at:next], "HTTP/")
	host := ""
	for at = next; at < end; at = next { // headers
		next = lineEnd(c.text[:end], at)
		line := strings.TrimSpace(c.text[at:next])
		if _, _, isRequest := requestLine(line); isRequest {
			next = at
			break
		}
		if line == "" || strings.HasPrefix(line, "###") {
			break
		}
		if (line[0] == '?' || line[0] == '&') && bare { // a query on lines of its own
			r.query.merge(text{{s: line[1:]}})
			continue
		}
		name, v, ok := strings.Cut(line, ":")
		if !ok || strings.ContainsAny(name, " {\"") {
			next = at // the body, without a blank line
			break
		}
		bare = false
		if strings.EqualFold(name, "Host") {
			host = strings.TrimSpace(v)
			continue
		}
		r.header.m[http.CanonicalHeaderKey(name)] = text{{s: strings.TrimSpace(v)}}
	}
	at = next
	stop := at
	for stop < end { // the body
		n := lineEnd(c.text[:end], stop)
		line := c.text[stop:n]
		if _, _, isRequest := requestLine(line); isRequest || strings.HasPrefix(line, "###") {
			break
		}
		stop = n
	}
	if body := strings.TrimSpace(c.text[at:stop]); body != "" && body[0] != '<' && !strings.HasPrefix(body, "HTTP/") {
		setBody(r, text{{s: body}})
	} else if verb == "POST" || verb == "PUT" || verb == "PATCH" {
		r.open |= apispec.OpenBody // it may be left out of the example
		if bare {
			r.open |= apispec.OpenQuery
		}
	}
	if bare {
		r.header.open = true // only the line is shown
	}
	r.url = text{url}
	if host != "" && !strings.Contains(target, "://") && variableEnd(host) != len(host) {
		r.url = text{{s: "https://" + host}, url}
	}
	return r, max(stop, next)
}
