package verify_test

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/api-assistant/api-assistant/assistant/apispec"
	"github.com/api-assistant/api-assistant/assistant/ingest"
	"github.com/api-assistant/api-assistant/assistant/verify"
)

// labelled is an answer with what is right and wrong in it; the format is that of
// verify/README.md in the development data.
type labelled struct {
	ID, Spec string
	Right    bool
	Text     string
	Mentions []struct {
		Mention  string
		Status   apispec.Status
		Spans    [][2]int
		Accept   []apispec.Status
		Optional bool
	}
	Code []struct {
		Index    int
		Problems []string
	}
	NotMentions []string `json:"not_mentions"`
}

func readLabelled(t testing.TB, path string) (out []labelled) {
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("the development data is not here (set API_ASSISTANT_DATA): %v", err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var l labelled
		require.NoError(t, json.Unmarshal(s.Bytes(), &l))
		out = append(out, l)
	}
	require.NoError(t, s.Err())
	return out
}

// catalogOf ingests a file.
func catalogOf(t testing.TB, path string) *apispec.Catalog {
	f, err := os.Open(path)
	if err != nil {
		t.Skipf("the development data is not here (set API_ASSISTANT_DATA): %v", err)
	}
	defer f.Close()
	s, err := ingest.Parse(t.Context(), filepath.Base(path), f, ingest.Options{})
	require.NoError(t, err)
	var ops []apispec.Operation
	for _, d := range s.Documents {
		if d.Metadata["content_type"] == "endpoint" {
			var o apispec.Operation
			require.NoError(t, json.Unmarshal(d.Data, &o))
			ops = append(ops, o)
		}
	}
	return apispec.NewCatalog(ops)
}

// tally counts what a verifier got right.
type tally struct {
	findings, right, gold, found        int
	code, codeRight, codeGold           int
	falseOK, falseElsewhere, notMention int
	hosts, vouched, rightHit, rights    int
	statuses                            map[apispec.Status][3]int // predicted, right, gold
	notes                               []string
}

func finding(s apispec.Status) bool { return s != apispec.OK && s != apispec.NotChecked }

// score compares a report with the labels, as score.py of the data does.
func (n *tally) score(l labelled, r verify.Report) {
	note := func(format string, args ...any) {
		n.notes = append(n.notes, l.ID+"  "+fmt.Sprintf(format, args...))
	}
	count := func(s apispec.Status, i int) { c := n.statuses[s]; c[i]++; n.statuses[s] = c }
	got := make([][]apispec.Status, len(l.Mentions))
	falses := 0
	for _, e := range r.Endpoints {
		start := utf8.RuneCountInString(l.Text[:e.Start])
		end := start + utf8.RuneCountInString(e.Mention)
		best, at := 0.0, -1
		for i, m := range l.Mentions {
			for _, s := range m.Spans {
				common := max(0, min(end, s[1])-max(start, s[0]))
				share := float64(common) / float64(max(end, s[1])-min(start, s[0]))
				if share > best || share == best && share > 0 && e.Status == m.Status {
					best, at = share, i
				}
			}
		}
		if finding(e.Status) {
			count(e.Status, 0)
		}
		if at < 0 {
			for _, s := range l.NotMentions {
				if strings.Contains(s, e.Mention) || strings.Contains(e.Mention, s) {
					n.notMention++
					note("%q: %s, is no mention", e.Mention, e.Status)
				}
			}
			if finding(e.Status) {
				n.findings++
				n.falseElsewhere++
				falses++
				note("%q: %s, is no endpoint mention", e.Mention, e.Status)
			}
			continue
		}
		m := l.Mentions[at]
		got[at] = append(got[at], e.Status)
		if m.Status == apispec.NotChecked && e.Status == apispec.OK {
			n.vouched++
			note("%q is of another host, and vouched for", e.Mention)
		}
		switch {
		case !finding(e.Status):
		case e.Status == m.Status:
			n.findings++
			n.right++
			count(e.Status, 1)
		case !slices.Contains(m.Accept, e.Status):
			n.findings++
			note("%q: %s, should be %s", e.Mention, e.Status, m.Status)
			if !finding(m.Status) {
				n.falseOK++
				falses++
			}
			if m.Status == apispec.NotChecked {
				n.hosts++
			}
		}
	}
	for i, m := range l.Mentions {
		if finding(m.Status) && !m.Optional {
			n.gold++
			count(m.Status, 2)
			if slices.Contains(got[i], m.Status) {
				n.found++
			} else {
				note("%q: missed %s (said %v)", m.Mention, m.Status, got[i])
			}
		}
	}
	falses += n.scoreCode(l, r, note)
	if l.Right {
		n.rights++
		if falses > 0 {
			n.rightHit++
		}
	}
}

func (n *tally) scoreCode(l labelled, r verify.Report, note func(string, ...any)) (falses int) {
	want, said := make(map[string]bool), make(map[string]bool)
	for _, c := range l.Code {
		for _, p := range c.Problems {
			want[fmt.Sprint(c.Index, " ", p)] = true
		}
	}
	for _, c := range r.Code {
		for _, p := range c.Problems {
			said[fmt.Sprint(c.Index, " ", p)] = true
		}
	}
	for p := range said {
		n.code++
		if want[p] {
			n.codeRight++
		} else {
			falses++
			note("code %s is false", p)
		}
	}
	for p := range want {
		n.codeGold++
		if !said[p] {
			note("code: missed %s", p)
		}
	}
	return falses
}

func share(a, b int) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// TestScore holds the verifier to the labelled answers: run it with -v to see the
// table.
func TestScore(t *testing.T) {
	root := cmp.Or(os.Getenv("API_ASSISTANT_DATA"), "../../../shared/data")
	answers := readLabelled(t, filepath.Join(root, "verify/dev.jsonl"))
	catalogs := make(map[string]*apispec.Catalog)
	n := tally{statuses: make(map[apispec.Status][3]int)}
	var predictions strings.Builder
	for _, l := range answers {
		if catalogs[l.Spec] == nil {
			catalogs[l.Spec] = catalogOf(t, filepath.Join(root, l.Spec))
		}
		r := verify.Check(catalogs[l.Spec], l.Text, verify.Options{})
		n.score(l, r)
		require.NoError(t, json.NewEncoder(&predictions).Encode(prediction(l.ID, r)))
	}
	if path := os.Getenv("VERIFY_REPORT"); path != "" { // for score.py of the data
		require.NoError(t, os.WriteFile(path, []byte(predictions.String()), 0o644))
	}
	for _, note := range n.notes {
		t.Log(note)
	}
	t.Logf("%d answers", len(answers))
	t.Logf("findings  precision %.3f  recall %.3f  (gold %d, reported %d, right %d)", share(n.right, n.findings), share(n.found, n.gold), n.gold, n.findings, n.right)
	for _, s := range []apispec.Status{apispec.UnknownPath, apispec.WrongMethod, apispec.Deprecated, apispec.Ambiguous} {
		c := n.statuses[s]
		t.Logf("  %-13s precision %.3f  recall %.3f  (gold %d)", s, share(c[1], c[0]), share(c[1], c[2]), c[2])
	}
	t.Logf("false alarms: on right mentions %d, elsewhere %d, on what is no mention %d; entirely right answers hit %d of %d",
		n.falseOK, n.falseElsewhere, n.notMention, n.rightHit, n.rights)
	t.Logf("other hosts called wrong %d, vouched for %d", n.hosts, n.vouched)
	t.Logf("code      precision %.3f  recall %.3f  (gold %d, reported %d, right %d)", share(n.codeRight, n.code), share(n.codeRight, n.codeGold), n.codeGold, n.code, n.codeRight)
	require.GreaterOrEqual(t, share(n.right, n.findings), 0.99)
	require.GreaterOrEqual(t, share(n.found, n.gold), 0.95)
	require.GreaterOrEqual(t, share(n.codeRight, n.code), 0.99)
	require.GreaterOrEqual(t, share(n.codeRight, n.codeGold), 0.95)
	require.Zero(t, n.notMention+n.hosts+n.vouched+n.rightHit)
}

// prediction is a line for score.py.
func prediction(id string, r verify.Report) map[string]any {
	var mentions, code []map[string]any
	for _, e := range r.Endpoints {
		m := map[string]any{"mention": e.Mention, "status": e.Status, "byte_start": e.Start}
		if e.Operation != "" {
			m["operation"] = e.Operation
		}
		mentions = append(mentions, m)
	}
	for _, c := range r.Code {
		code = append(code, map[string]any{"index": c.Index, "problems": c.Problems})
	}
	return map[string]any{"id": id, "mentions": mentions, "code": code}
}
