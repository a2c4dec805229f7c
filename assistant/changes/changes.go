// Package changes says what differs between two versions of an API, and which of
// it breaks clients.
//
//	report := changes.Compare(before, after) // []*apispec.Operation of one API
//	fmt.Print(report)                        // a text for people
//	if report.Breaking > 0 { … }             // for a check before a release
//	for _, o := range report.Changed {
//		for _, c := range o.Changes {
//			fmt.Println(o.Endpoint, c.Where, c.Message, c.Breaking, c.Reason)
//		}
//	}
//
// A change is breaking if a client that was written for the old version, and
// keeps to it, may fail with the new one. What a client sends and what it reads
// are opposites: one may send less freely only at its cost, and may read more
// only at its cost.
//
//	                                         sent       read
//	operation removed or moved               breaking   breaking
//	parameter or field added                 if required  no
//	parameter or field removed               breaking   breaking
//	became required                          breaking   no
//	became optional                          no         breaking
//	type, format or enum narrowed            breaking   no
//	type, format or enum widened             no         breaking
//	alternative (oneOf, anyOf) removed       breaking   no
//	alternative added                        no         breaking
//	media type removed                       breaking   breaking
//	body added                               if required  no
//	response of success removed                         breaking
//	other response removed or added                     no
//	credentials that sufficed do so no more  breaking
//	default, operation id, deprecation       no
//
// Of a webhook the sides are swapped: its body is what a client reads.
//
// The rules are those of oasdiff (https://github.com/oasdiff/oasdiff, its checks
// of levels ERR and WARN), with two differences, both to the safe side, because
// there is no level between here: removing an optional parameter or field that is
// sent counts (oasdiff: a warning), and so does removing an optional field that
// is read (oasdiff: no error), since neither removal can be seen from the client.
// Bump is what Semantic Versioning 2.0.0 asks for: major for what is incompatible
// (its item 8), minor for what is added or deprecated (item 7).
//
// Servers, descriptions, examples, bounds such as maxLength, callbacks and what
// ingestion cut from large schemas are not compared.
package changes

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Report is what differs.
type Report struct {
	Old      Version `json:"old"`
	New      Version `json:"new"`
	Breaking int     `json:"breaking"` // changes that break clients
	Other    int     `json:"other"`    // changes that do not
	Bump     Bump    `json:"bump"`
	// Added, Removed and Changed are sorted by path and method; never nil. An
	// operation that has moved is among the changed ones.
	Added   []Operation `json:"added"`
	Removed []Operation `json:"removed"`
	Changed []Operation `json:"changed"`
}

// Version names one side.
type Version struct {
	API     string `json:"api"`
	Version string `json:"version"`
}

// Bump is the part of the version number to raise.
type Bump string

// The bumps.
const (
	NoBump Bump = "none"
	Minor  Bump = "minor"
	Major  Bump = "major"
)

// Operation is an operation that differs.
type Operation struct {
	Endpoint    string   `json:"endpoint"`      // in the new version, if it is there
	Was         string   `json:"was,omitempty"` // its old endpoint, if it has moved
	OperationID string   `json:"operation_id,omitempty"`
	Place       string   `json:"place"`   // "file#/json/pointer", in the new version if it is there
	Changes     []Change `json:"changes"` // breaking ones first; at least one
	Omitted     int      `json:"omitted,omitempty"`

	path, method string
}

// MaxChanges bounds the changes that are listed of one operation.
const MaxChanges = 200

// Change is one difference.
type Change struct {
	Kind     Kind   `json:"kind"`
	Breaking bool   `json:"breaking"`
	Where    string `json:"where"`   // "query parameter limit", "request body lines[].quantity"; empty for the operation
	Message  string `json:"message"` // "type changed from integer to string"
	Reason   string `json:"reason"`  // why it breaks clients, or does not
}

// String is one line: "query parameter limit: added, required".
func (c Change) String() string {
	if c.Where == "" {
		return c.Message
	}
	return c.Where + ": " + c.Message
}

// Kind is a kind of change.
type Kind string

// The kinds.
const (
	Added              Kind = "added"
	Removed            Kind = "removed"
	Moved              Kind = "moved"
	Deprecated         Kind = "deprecated"
	Undeprecated       Kind = "undeprecated"
	Renamed            Kind = "renamed" // the operation id, a parameter in the path
	BecameRequired     Kind = "became_required"
	BecameOptional     Kind = "became_optional"
	TypeChanged        Kind = "type_changed"
	FormatChanged      Kind = "format_changed"
	EnumChanged        Kind = "enum_changed"
	DefaultChanged     Kind = "default_changed"
	AlternativeAdded   Kind = "alternative_added"
	AlternativeRemoved Kind = "alternative_removed"
	MediaTypeAdded     Kind = "media_type_added"
	MediaTypeRemoved   Kind = "media_type_removed"
	SecurityChanged    Kind = "security_changed"
)

// Compare compares the operations of two versions of one API. Operations belong
// together that have the same method and path, whatever the names of its
// variables, or else the same operation id. Nothing is changed, and the order of
// the operations does not matter.
func Compare(before, after []*apispec.Operation) Report {
	r := Report{Old: versionOf(before), New: versionOf(after), Added: []Operation{}, Removed: []Operation{}, Changed: []Operation{}}
	pairs, removed, added := match(before, after)
	for _, o := range removed {
		reason := "requests to it fail"
		if o.Deprecated {
			reason += "; it was deprecated"
		}
		r.Removed = append(r.Removed, operation(o, Change{Kind: Removed, Breaking: true, Message: "removed", Reason: reason}))
	}
	for _, o := range added {
		r.Added = append(r.Added, operation(o, Change{Kind: Added, Message: "added", Reason: "clients do not know it"}))
	}
	for _, p := range pairs {
		if list := compare(p.before, p.after); len(list) > 0 {
			o := operation(p.after, list...)
			if p.moved() {
				o.Was = p.before.Endpoint()
			}
			r.Changed = append(r.Changed, o)
		}
	}
	for _, list := range [][]Operation{r.Added, r.Removed, r.Changed} {
		slices.SortStableFunc(list, func(a, b Operation) int {
			return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method), cmp.Compare(a.Place, b.Place))
		})
		r.count(list)
	}
	return r
}

// count counts the changes, and lists no more than MaxChanges of an operation.
func (r *Report) count(list []Operation) {
	for i := range list {
		o := &list[i]
		for _, c := range o.Changes {
			if c.Breaking {
				r.Breaking++
			} else {
				r.Other++
			}
		}
		o.Omitted = max(len(o.Changes)-MaxChanges, 0)
		o.Changes = o.Changes[:len(o.Changes)-o.Omitted]
	}
	switch {
	case r.Breaking > 0:
		r.Bump = Major
	case r.Other > 0:
		r.Bump = Minor
	default:
		r.Bump = NoBump
	}
}

func versionOf(ops []*apispec.Operation) Version {
	if len(ops) == 0 {
		return Version{}
	}
	first := slices.MinFunc(ops, func(a, b *apispec.Operation) int {
		return cmp.Or(cmp.Compare(a.API, b.API), cmp.Compare(a.Version, b.Version))
	})
	return Version{first.API, first.Version}
}

func operation(o *apispec.Operation, list ...Change) Operation {
	slices.SortStableFunc(list, func(a, b Change) int { return rank(a) - rank(b) })
	return Operation{Endpoint: o.Endpoint(), OperationID: o.OperationID, Place: o.SourceFile + "#" + o.Pointer, Changes: list, path: o.Path, method: o.Method}
}

// rank puts breaking changes first.
func rank(c Change) int {
	if c.Breaking {
		return 0
	}
	return 1
}

// pair is an operation in both versions.
type pair struct{ before, after *apispec.Operation }

func (p pair) moved() bool { return key(p.before) != key(p.after) }

var variable = regexp.MustCompile(`\{[^{}]*\}`)

// key is the same for operations that answer the same requests.
func key(o *apispec.Operation) string {
	return string(o.Kind) + " " + strings.ToUpper(o.Method) + " " + variable.ReplaceAllString(o.Path, "{}")
}

// match finds the operations that belong together.
func match(before, after []*apispec.Operation) (pairs []pair, removed, added []*apispec.Operation) {
	pairs, removed, added = matchBy(key, inOrder(before), inOrder(after))
	moved, removed, added := matchBy(identity(removed, added), removed, added)
	return append(pairs, moved...), removed, added
}

// inOrder sorts a copy.
func inOrder(ops []*apispec.Operation) []*apispec.Operation {
	return slices.SortedStableFunc(slices.Values(ops), func(a, b *apispec.Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method), cmp.Compare(a.SourceFile, b.SourceFile), cmp.Compare(a.Pointer, b.Pointer))
	})
}

// matchBy pairs operations with the same name, the first with the first. Those
// without a name are left.
func matchBy(name func(*apispec.Operation) string, before, after []*apispec.Operation) (pairs []pair, removed, added []*apispec.Operation) {
	open := make(map[string][]*apispec.Operation)
	for _, o := range after {
		open[name(o)] = append(open[name(o)], o)
	}
	matched := make(map[*apispec.Operation]bool)
	for _, o := range before {
		n := name(o)
		if n == "" || len(open[n]) == 0 {
			removed = append(removed, o)
			continue
		}
		pairs = append(pairs, pair{o, open[n][0]})
		matched[open[n][0]] = true
		open[n] = open[n][1:]
	}
	for _, o := range after {
		if !matched[o] {
			added = append(added, o)
		}
	}
	return pairs, removed, added
}

// identity names operations by their id, if it is unique on both sides.
func identity(before, after []*apispec.Operation) func(*apispec.Operation) string {
	id := func(o *apispec.Operation) string { return string(o.Kind) + " " + o.OperationID }
	repeated := make(map[string]bool)
	for _, side := range [][]*apispec.Operation{before, after} {
		seen := make(map[string]bool)
		for _, o := range side {
			repeated[id(o)] = repeated[id(o)] || seen[id(o)]
			seen[id(o)] = true
		}
	}
	return func(o *apispec.Operation) string {
		if o.OperationID == "" || repeated[id(o)] {
			return ""
		}
		return id(o)
	}
}

// String is the report as text, a line for each change; breaking ones have an
// exclamation mark and the reason.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s to %s: %d breaking, %d other changes (%s)\n", r.Old, r.New, r.Breaking, r.Other, r.Bump)
	section(&b, "Removed", r.Removed)
	section(&b, "Changed", r.Changed)
	section(&b, "Added", r.Added)
	return b.String()
}

// String is "Shop 1.2".
func (v Version) String() string { return oneLine(strings.TrimSpace(v.API + " " + v.Version)) }

func section(b *strings.Builder, title string, list []Operation) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s (%d)\n", title, len(list))
	for _, o := range list {
		fmt.Fprintf(b, "  %s\n", oneLine(o.Endpoint))
		for _, c := range o.Changes {
			if c.Breaking {
				fmt.Fprintf(b, "    ! %s (%s)\n", oneLine(c.String()), c.Reason)
			} else {
				fmt.Fprintf(b, "    - %s\n", oneLine(c.String()))
			}
		}
		if o.Omitted > 0 {
			fmt.Fprintf(b, "    … and %d more\n", o.Omitted)
		}
	}
}

// oneLine keeps names from breaking lines or moving the cursor of a terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}
