package ingest

import (
	"net/url"
	"path"
	"strconv"
	"strings"
)

// place is where a reference leads: a JSON pointer in a file.
type place struct {
	file    *File
	pointer string
}

// name is the last part of the pointer, or the name of the file.
func (p place) name() string {
	if p.file == nil {
		return ""
	}
	if name := p.pointer[strings.LastIndexByte(p.pointer, '/')+1:]; name != "" {
		return decodeKey(name)
	}
	return p.file.base()
}

// maxRefs is how many references in a row are followed.
const maxRefs = 20

// resolve follows references inside the given files. to is where the last one
// leads, its zero value if n is no reference. The node is nil where one leads
// nowhere, about which there is a warning.
func (s *specification) resolve(n *node, at string) (target *node, to place) {
	for range maxRefs {
		if n == nil || n.branch == nil || n.home == nil {
			return n, to
		}
		ref := n.get("$ref")
		if ref.kind != str {
			return n, to
		}
		var ok bool
		if to, ok = s.locate(n.home, ref.text, at); !ok {
			return nil, to
		}
		next := s.lookup(to)
		if next == nil {
			s.warn(at, "the reference %q leads nowhere", ref.text)
			return nil, to
		}
		n = next
	}
	s.warn(at, "the reference leads to more than %d others", maxRefs)
	return nil, to
}

// locate finds the file that a reference in home means.
func (s *specification) locate(home *File, ref, at string) (place, bool) {
	name, fragment, _ := strings.Cut(ref, "#")
	to := place{home, fragment}
	if name == "" {
		return to, true
	}
	if to.file = home.find(name); to.file == nil {
		s.warn(at, "the reference %q leads out of the upload; it is not followed", ref)
		return place{nil, ref}, false
	}
	if to.file != s.file && to.file.partOf == "" && !to.file.describesAPI() {
		to.file.partOf = s.file.Name
	}
	return to, true
}

// lookup follows a JSON pointer from the root of a file.
func (s *specification) lookup(p place) *node {
	if found, ok := s.found[p]; ok {
		return found
	}
	n := s.follow(p)
	s.found[p] = n
	return n
}

func (s *specification) follow(p place) *node {
	n, err := p.file.tree()
	if err != nil {
		return nil // the file itself will be refused
	}
	if strings.Trim(p.pointer, "/") == "" {
		if p.file == s.file {
			return nil // a whole file is no part of itself
		}
		return n
	}
	for key := range strings.SplitSeq(strings.TrimPrefix(p.pointer, "/"), "/") {
		key = decodeKey(key)
		if n != nil && n.kind == list {
			i, err := strconv.Atoi(key)
			if err != nil || i < 0 || i >= len(n.values) {
				return nil
			}
			n = n.values[i]
			continue
		}
		if n = n.get(key); n == nil {
			return nil
		}
	}
	return n
}

var (
	keyDecoder = strings.NewReplacer("~1", "/", "~0", "~")
	keyEncoder = strings.NewReplacer("~", "~0", "/", "~1")
)

// decodeKey reads a key of a JSON pointer in a URL.
func decodeKey(key string) string {
	if strings.Contains(key, "%") {
		if decoded, err := url.PathUnescape(key); err == nil {
			key = decoded
		}
	}
	if strings.Contains(key, "~") {
		key = keyDecoder.Replace(key)
	}
	return key
}

// pointer appends keys to a JSON pointer.
func pointer(to string, keys ...string) string {
	for _, key := range keys {
		to += "/" + keyEncoder.Replace(key)
	}
	return to
}

// inFile names a place in another file than the one that is read.
func (s *specification) inFile(p place) string {
	if p.file == s.file || p.file == nil {
		return p.pointer
	}
	return path.Clean(p.file.path) + "#" + p.pointer
}
