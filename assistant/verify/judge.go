package verify

import (
	"path"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// judge looks a target up and reports it, unless it is not about the API.
func (u *unit) judge(t *target) {
	if t.path == "" {
		return
	}
	written, _, _ := strings.Cut(t.path, "?")
	written, _, _ = strings.Cut(written, "#")
	if len(t.methods) == 0 {
		if u.strict && !t.url || t.path == "/" {
			return
		}
		r := u.resolve("", t.path)
		if u.worthTelling(t, r) {
			u.add(t.first, t.end, "", written, r)
		}
		return
	}
	for _, m := range t.methods {
		r := u.resolve(m, t.path)
		if t.path == "/" && r.Status != apispec.OK {
			continue
		}
		if isFinding(r) && (u.elsewhere(t) || u.denied(t) && r.Status != apispec.Deprecated) {
			continue
		}
		if isFinding(r) && r.Status == apispec.UnknownPath && isFile(t.path) && r.Likeness < akin {
			continue
		}
		u.add(t.first, t.end, m, written, r)
	}
}

func isFinding(r apispec.Resolution) bool {
	return r.Status != apispec.OK && r.Status != apispec.NotChecked
}

// akin is how like an unknown path without a method must be to a real one, to be
// taken for a mistake and not for something else.
const akin = 0.5

// worthTelling decides on a target that no method goes with, so that it may be
// anything.
func (u *unit) worthTelling(t *target, r apispec.Resolution) bool {
	if u.data && isFinding(r) {
		return false
	}
	switch r.Status {
	case apispec.NotChecked:
		return t.url
	case apispec.OK:
		return t.code || t.url || !isFile(t.path)
	}
	if u.elsewhere(t) || u.denied(t) && r.Status != apispec.Deprecated {
		return false
	}
	switch r.Status {
	case apispec.Ambiguous:
		return t.code && u.hasLiteral(t.path) || t.url
	case apispec.Deprecated:
		return t.code || t.url
	}
	if r.Prefix {
		return false
	}
	if t.url {
		return !isFile(t.path) || r.Likeness >= akin
	}
	return !isFile(t.path) && (t.code || u.inCell(t)) && r.Likeness >= akin
}

// hasLiteral reports whether a path has a segment that is no placeholder.
func (u *unit) hasLiteral(p string) bool {
	return slices.ContainsFunc(strings.Split(p, "/"), func(s string) bool { return s != "" && strings.IndexByte("{<:$%[*", s[0]) < 0 })
}

// inCell reports whether a target is alone in a cell of a table.
func (u *unit) inCell(t *target) bool {
	before := strings.TrimRight(u.text[u.start:t.start], " \t`*")
	after := strings.TrimLeft(u.text[t.end:u.end], " \t`*")
	return strings.HasSuffix(before, "|") && strings.HasPrefix(after, "|")
}

// roots are the directories at the top of file systems.
var roots = []string{"etc", "var", "tmp", "usr", "home", "opt", "bin", "sbin", "dev", "proc", "mnt", "root", "srv", "sys", "boot", "run", "lib",
	"Users", "Library", "Applications", "Volumes", "private", "app", "src", "node_modules", "workspace", "docs", "static", "assets", "public"}

// fileTypes are the extensions of files that people write about.
var fileTypes = []string{".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".py", ".go", ".java", ".rb", ".php", ".rs", ".cs", ".kt", ".swift", ".sh", ".c", ".h",
	".cpp", ".json", ".jsonl", ".yaml", ".yml", ".toml", ".ini", ".conf", ".cfg", ".env", ".md", ".mdx", ".txt", ".log", ".html", ".htm", ".css", ".scss", ".svg",
	".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".pdf", ".zip", ".gz", ".tar", ".csv", ".xml", ".pem", ".key", ".crt", ".sql", ".db", ".lock", ".mp3", ".mp4",
	".wav", ".sock", ".pid", ".proto", ".graphql", ".service"}

// isFile reports whether a path looks like that of a file.
func isFile(target string) bool {
	target, _, _ = strings.Cut(target, "?")
	if _, rest, isURL := strings.Cut(target, "://"); isURL {
		_, target, _ = strings.Cut(rest, "/")
	}
	first, _, _ := strings.Cut(strings.TrimPrefix(target, "/"), "/")
	return slices.Contains(roots, first) || slices.Contains(fileTypes, strings.ToLower(path.Ext(target)))
}
