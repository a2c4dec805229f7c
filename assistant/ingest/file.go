package ingest

import (
	"iter"
	"net/url"
	"path"
	"strings"
)

// File is a file in memory, as readers get it.
type File struct {
	Name    string
	Content []byte // must not be changed

	set    *fileSet
	path   string // in the set
	partOf string // name of the API description that has this file as a part

	text    string
	textErr error
	decoded bool

	root    *node
	rootErr error
	more    bool // further YAML documents follow, which are not read
	parsed  bool
}

// Text returns the content as UTF-8 without a byte order mark. UTF-16 is
// converted; the *Error about anything else says where it is.
func (f *File) Text() (string, error) {
	if !f.decoded {
		f.text, f.textErr = decodeText(f.Name, f.Content)
		f.decoded = true
	}
	return f.text, f.textErr
}

// tree returns the content as JSON or YAML.
func (f *File) tree() (*node, error) {
	if f.parsed {
		return f.root, f.rootErr
	}
	f.parsed = true
	text, err := f.Text()
	if err != nil {
		f.rootErr = err
		return nil, err
	}
	f.root, f.more, f.rootErr = parseTree(f, text)
	return f.root, f.rootErr
}

// extension is the end of the name, in lower case and without the dot.
func (f *File) extension() string {
	return strings.ToLower(strings.TrimPrefix(path.Ext(f.Name), "."))
}

// base is the name without directories and extension.
func (f *File) base() string {
	name := path.Base(f.Name)
	return strings.TrimSuffix(name, path.Ext(name))
}

// fileSet is the files that may refer to each other.
type fileSet struct {
	byPath map[string]*File
	byName map[string][]*File // by the last part of the path
	flat   bool               // no path has a directory
}

func newFileSet() *fileSet {
	return &fileSet{byPath: make(map[string]*File), byName: make(map[string][]*File), flat: true}
}

func (s *fileSet) add(f *File, at string) *File {
	f.set, f.path = s, strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(at, `\`, "/")), "/")
	s.byPath[f.path] = f
	name := path.Base(f.path)
	s.byName[name] = append(s.byName[name], f)
	s.flat = s.flat && name == f.path
	return f
}

// find returns the file of the set that a relative reference in f means, or
// nil. It never looks anywhere else.
func (f *File) find(ref string) *File {
	if strings.Contains(ref, ":") || strings.HasPrefix(ref, "/") || strings.HasPrefix(ref, `\`) {
		return nil
	}
	if decoded, err := url.PathUnescape(ref); err == nil {
		ref = decoded
	}
	to := path.Join(path.Dir(f.path), ref)
	if found := f.set.byPath[to]; found != nil {
		return found
	}
	if named := f.set.byName[path.Base(to)]; f.set.flat && len(named) == 1 {
		return named[0]
	}
	return nil
}

// inLoadOrder yields the indexes of files: API descriptions first, because they
// decide which of the others are parts of them.
func inLoadOrder(files []*File) iter.Seq[int] {
	return func(yield func(int) bool) {
		for _, describes := range []bool{true, false} {
			for i, f := range files {
				if (len(files) > 1 && f.describesAPI()) == describes && !yield(i) {
					return
				}
			}
		}
	}
}

// describesAPI reports whether a file is an OpenAPI description, not only a part
// of one.
func (f *File) describesAPI() bool {
	if len(f.Content) == 0 || isArchive(f.Content) || !f.structured() {
		return false
	}
	root, err := f.tree()
	return err == nil && (root.get("openapi") != nil || root.get("swagger") != nil)
}
