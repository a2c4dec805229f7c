package diagram

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Endpoint is what an overview shows of an operation.
type Endpoint struct {
	Path    string   `json:"path"`
	Method  string   `json:"method"`
	Summary string   `json:"summary,omitempty"`
	Tags    []string `json:"tags,omitempty"` // the first one groups
}

// Bounds of an overview.
const (
	maxGroups    = 30
	maxEndpoints = 150
)

// Overview draws an API as a flowchart: its endpoints in groups, by their first
// tag or else by the first segment of their path. Groups are in the order of
// their first endpoint, the endpoints in a group by path.
func Overview(title string, endpoints []Endpoint) Diagram {
	if strings.TrimSpace(title) == "" {
		title = "API"
	}
	d := &drawing{}
	d.line("flowchart LR")
	d.depth++
	d.line("api([%s])", quoted(title, maxName))
	out := Diagram{Type: typeFlowchart, Title: plain(title)}
	var left []string
	nodes := 0
	all := groups(endpoints)
	for i, g := range all {
		if i >= maxGroups {
			left = append(left, names(g.endpoints)...)
			continue
		}
		// Groups share what is left, so that a large one hides none after it.
		share := max((maxEndpoints-nodes)/(min(len(all), maxGroups)-i), 1)
		shown := g.endpoints[:min(len(g.endpoints), share)]
		rest := g.endpoints[len(shown):]
		d.line("subgraph g%d [%s]", i, quoted(g.name, maxName))
		d.depth++
		d.line("direction TB")
		for _, e := range shown {
			d.line("n%d[%s]", nodes, quoted(e.label(), maxLabel))
			nodes++
		}
		if len(rest) > 0 {
			d.line("m%d[%s]", i, quoted(fmt.Sprintf("and %d more", len(rest)), maxName))
			left = append(left, names(rest)...)
		}
		d.depth--
		d.line("end")
		d.line("api --> g%d", i)
	}
	if len(all) > maxGroups {
		d.line("more[%s]", quoted(fmt.Sprintf("and %d more groups", len(all)-maxGroups), maxName))
		d.line("api --> more")
	}
	out.Omitted = omitted(left)
	out.Code = d.String()
	return out
}

type group struct {
	name      string
	endpoints []Endpoint
}

func groups(endpoints []Endpoint) (out []group) {
	at := make(map[string]int)
	for _, e := range endpoints {
		name := e.group()
		i, ok := at[name]
		if !ok {
			i = len(out)
			at[name] = i
			out = append(out, group{name: name})
		}
		out[i].endpoints = append(out[i].endpoints, e)
	}
	for _, g := range out {
		slices.SortStableFunc(g.endpoints, func(a, b Endpoint) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method)) })
	}
	return out
}

func (e Endpoint) group() string {
	for _, tag := range e.Tags {
		if strings.TrimSpace(tag) != "" {
			return tag
		}
	}
	first, _, _ := strings.Cut(strings.TrimLeft(e.Path, "/"), "/")
	return "/" + first
}

// label is "GET /orders: List orders".
func (e Endpoint) label() string {
	if e.Summary == "" {
		return e.name()
	}
	return e.name() + ": " + e.Summary
}

func (e Endpoint) name() string { return strings.TrimSpace(strings.ToUpper(e.Method) + " " + e.Path) }

func names(endpoints []Endpoint) (out []string) {
	for _, e := range endpoints {
		out = append(out, e.name())
	}
	return out
}
