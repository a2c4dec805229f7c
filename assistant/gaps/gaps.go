// Package gaps finds what the documentation of an API leaves open: descriptions,
// types, examples, error responses, authentication, names.
//
//	report := gaps.Find(catalog.Operations())
//	fmt.Println(report.Score, report.ByKind[gaps.MissingErrorResponse])
//	for _, g := range report.Gaps {
//		fmt.Println(g.Severity, g.Endpoint, g.Message, g.Place)
//	}
//
// It looks at the parsed operations, not at the text of the file, so the same
// rules hold for OpenAPI, GraphQL and Postman; a rule that makes no sense for a
// kind of operation (status codes of GraphQL, authentication of a webhook) is not
// applied to it. What ingestion cut, because it was too large or contains itself,
// is never reported.
//
// An error leaves a client unable to use the operation as it is documented, a
// warning makes him guess, an info makes him slower.
//
// The score is the mean of the scores of the operations, rounded. An operation
// has 100, less 25 for each kind of error that it has, 10 for each kind of
// warning, 3 for each kind of info, and at least 0. Kinds count once per
// operation: twenty parameters without a description are one bad habit. Without
// operations the score is 100.
package gaps

import (
	"cmp"
	"math"
	"slices"

	"github.com/api-assistant/api-assistant/assistant/apispec"
)

// Report is what was found.
type Report struct {
	Score      int              `json:"score"` // 0 to 100, the higher the better
	Operations int              `json:"operations"`
	Total      int              `json:"total"` // gaps, those that are not listed included
	BySeverity map[Severity]int `json:"by_severity"`
	ByKind     map[Kind]int     `json:"by_kind"`
	// Gaps are the first MaxGaps, errors first, then by API, path, method, kind and
	// message; never nil.
	Gaps []Gap `json:"gaps"`
}

// MaxGaps bounds the list of a report.
const MaxGaps = 5000

// Gap is one thing that is not documented.
type Gap struct {
	Severity Severity `json:"severity"`
	Kind     Kind     `json:"kind"`
	Endpoint string   `json:"endpoint"`
	API      string   `json:"api"`
	// Place is "file#/json/pointer" of the operation, or of the response that is
	// meant.
	Place   string `json:"place"`
	Message string `json:"message"` // says what to do

	path, method string
}

// Severity says how much a gap hurts.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
	Info    Severity = "info"
)

var ranks = map[Severity]int{Error: 0, Warning: 1, Info: 2}

// costs is what a kind of gap takes from the score of an operation.
var costs = map[Severity]int{Error: 25, Warning: 10, Info: 3}

// Kind is what is missing.
type Kind string

// The kinds.
const (
	MissingDescription     Kind = "missing_description" // and no summary: an error; else an info
	MissingSummary         Kind = "missing_summary"
	MissingOperationID     Kind = "missing_operation_id"
	DuplicateOperationID   Kind = "duplicate_operation_id"
	MissingResponse        Kind = "missing_response" // none at all, or none of success
	MissingErrorResponse   Kind = "missing_error_response"
	MissingResponseSchema  Kind = "missing_response_schema"
	MissingRequestSchema   Kind = "missing_request_schema"
	MissingExample         Kind = "missing_example"
	MissingAuth            Kind = "missing_auth"
	UndeclaredParameter    Kind = "undeclared_parameter" // stands in the path only
	UndocumentedParameter  Kind = "undocumented_parameter"
	UntypedParameter       Kind = "untyped_parameter"
	UndocumentedField      Kind = "undocumented_field"
	UntypedField           Kind = "untyped_field"
	UnclearName            Kind = "unclear_name"
	InconsistentNaming     Kind = "inconsistent_naming"
	DeprecatedWithoutAHint Kind = "deprecated_without_replacement"
)

// Find looks for gaps in the operations of one or several APIs. It changes
// nothing, and equal operations give equal reports.
func Find(ops []*apispec.Operation) Report {
	r := Report{Score: 100, Operations: len(ops), BySeverity: make(map[Severity]int), ByKind: make(map[Kind]int), Gaps: []Gap{}}
	apis := make(map[string]*api)
	for _, o := range ops {
		if apis[o.API] == nil {
			apis[o.API] = &api{ids: make(map[string]int), styles: make(map[style]int)}
		}
		apis[o.API].learn(o)
	}
	sum := 0
	for _, o := range ops {
		f := finder{operation: o, api: apis[o.API]}
		f.find()
		sum += f.score()
		r.Gaps = append(r.Gaps, f.gaps...)
	}
	if len(ops) > 0 {
		r.Score = int(math.Round(float64(sum) / float64(len(ops))))
	}
	for _, g := range r.Gaps {
		r.BySeverity[g.Severity]++
		r.ByKind[g.Kind]++
	}
	slices.SortStableFunc(r.Gaps, func(a, b Gap) int {
		return cmp.Or(cmp.Compare(ranks[a.Severity], ranks[b.Severity]), cmp.Compare(a.API, b.API), cmp.Compare(a.path, b.path),
			cmp.Compare(a.method, b.method), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message), cmp.Compare(a.Place, b.Place))
	})
	r.Total = len(r.Gaps)
	r.Gaps = slices.Clip(r.Gaps[:min(len(r.Gaps), MaxGaps)])
	return r
}

// api is what an operation is compared with.
type api struct {
	secured bool           // some operation needs credentials
	ids     map[string]int // operations by operation id
	styles  map[style]int  // names by style
}

// finder looks at one operation.
type finder struct {
	operation *apispec.Operation
	api       *api
	gaps      []Gap
}

// add reports a gap; below is added to the pointer of the operation.
func (f *finder) add(s Severity, k Kind, below, message string) {
	o := f.operation
	f.gaps = append(f.gaps, Gap{Severity: s, Kind: k, Endpoint: o.Endpoint(), API: o.API, Place: o.SourceFile + "#" + o.Pointer + below, Message: message, path: o.Path, method: o.Method})
}

// score is 100 less what each kind costs.
func (f *finder) score() int {
	worst := make(map[Kind]int)
	for _, g := range f.gaps {
		worst[g.Kind] = max(worst[g.Kind], costs[g.Severity])
	}
	score := 100
	for _, cost := range worst {
		score -= cost
	}
	return max(score, 0)
}
