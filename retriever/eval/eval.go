// Package eval measures how well a retriever finds what it should: recall@k,
// MRR, nDCG and complete@k over files of questions, and whether two runs differ
// by more than chance.
//
//	set, err := eval.Load("testdata/bookshop")
//	if err != nil { … }
//	run, err := eval.Run(ctx, set.Questions, func(ctx context.Context, q string) ([]string, error) {
//		… // the ids that the system returns for q, best first
//	})
//	if err != nil { … }
//	fmt.Println(eval.Mean(run.Scores(set)))
//
// A data set is a folder with queries.jsonl ({"id", "query"}), qrels.jsonl
// ({"query_id", "relevant": ["GET /orders", …]}) and a folder corpus. Averages
// are macro averages over the questions that have relevant items.
package eval

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Question is one query of a data set with what should be found.
type Question struct {
	ID       string
	Text     string
	Relevant map[string]bool // keys such as "GET /orders/{id}"; never empty
}

// Set is a data set.
type Set struct {
	Name      string // the folder's name
	Questions []Question
	Corpus    []string // paths of the files to index, sorted
}

// Load reads a data set from a folder. Without a folder corpus, the questions are
// about something that the caller indexes. Questions without relevant items are
// left out.
func Load(dir string) (Set, error) {
	s := Set{Name: filepath.Base(dir)}
	relevant := make(map[string]map[string]bool)
	err := lines(filepath.Join(dir, "qrels.jsonl"), func(line []byte) error {
		var q struct {
			QueryID  string   `json:"query_id"`
			Relevant []string `json:"relevant"`
		}
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		for _, key := range q.Relevant {
			if relevant[q.QueryID] == nil {
				relevant[q.QueryID] = make(map[string]bool)
			}
			relevant[q.QueryID][Key(key)] = true
		}
		return nil
	})
	if err != nil {
		return Set{}, err
	}
	err = lines(filepath.Join(dir, "queries.jsonl"), func(line []byte) error {
		var q struct {
			ID    string `json:"id"`
			Query string `json:"query"`
		}
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		if len(relevant[q.ID]) > 0 {
			s.Questions = append(s.Questions, Question{ID: q.ID, Text: q.Query, Relevant: relevant[q.ID]})
		}
		return nil
	})
	if err != nil {
		return Set{}, err
	}
	if s.Corpus, err = filepath.Glob(filepath.Join(dir, "corpus", "*")); err != nil {
		return Set{}, err
	}
	if len(s.Questions) == 0 {
		return Set{}, fmt.Errorf("eval: %s has no questions with relevant items", dir)
	}
	return s, nil
}

// lines calls do for each line of a file that is not blank.
func lines(path string, do func([]byte) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := bufio.NewReader(f)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if len(strings.TrimSpace(string(line))) > 0 {
			if err := do(line); err != nil {
				return fmt.Errorf("eval: %s:%d: %w", path, n, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// Exists reports whether dir is a data set.
func Exists(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "queries.jsonl"))
	return !errors.Is(err, fs.ErrNotExist)
}

// Key is the normal form of "get  /a/{b}/": the method in upper case, one
// space, no slash at the end.
func Key(s string) string {
	method, path, ok := strings.Cut(strings.Join(strings.Fields(s), " "), " ")
	if !ok {
		return s
	}
	if len(path) > 1 {
		path = cmp.Or(strings.TrimRight(path, "/"), "/")
	}
	return strings.ToUpper(method) + " " + path
}

// Ranking is what a system returned for each question: the keys of its hits,
// best first, by question ID. A hit that is no item (a summary, say) has a key
// that is nowhere relevant; it takes a rank all the same.
type Ranking map[string][]string

// Run asks a system all questions. find returns the keys of the hits.
func Run(ctx context.Context, questions []Question, find func(ctx context.Context, query string) ([]string, error)) (Ranking, error) {
	r := make(Ranking, len(questions))
	for _, q := range questions {
		keys, err := find(ctx, q.Text)
		if err != nil {
			return nil, fmt.Errorf("eval: question %s: %w", q.ID, err)
		}
		r[q.ID] = keys
	}
	return r, nil
}

// Metrics are the measures of one question, or their means over many. All are
// between 0 and 1.
type Metrics struct {
	Recall5, Recall10, Recall20 float64 // share of the relevant items in the first 5, 10, 20
	MRR10                       float64 // 1 / rank of the first relevant item, 0 beyond 10
	NDCG10                      float64 // binary gains, log2 discount (Järvelin and Kekäläinen, 2002)
	Hit1                        float64 // whether the first hit is relevant
	Complete10                  float64 // whether all relevant items are in the first 10
}

// Score measures one question. Only the first hit of a key counts as found.
func Score(q Question, ranked []string) Metrics {
	var (
		m     Metrics
		found = make(map[string]bool)
		total = float64(len(q.Relevant))
	)
	for rank, key := range ranked {
		key = Key(key)
		if !q.Relevant[key] || found[key] {
			continue
		}
		if len(found) == 0 && rank < 10 {
			m.MRR10 = 1 / float64(rank+1)
		}
		found[key] = true
		if rank == 0 {
			m.Hit1 = 1
		}
		if rank < 5 {
			m.Recall5 += 1 / total
		}
		if rank < 10 {
			m.Recall10 += 1 / total
			m.NDCG10 += discount(rank)
			if len(found) == len(q.Relevant) {
				m.Complete10 = 1
			}
		}
		if rank < 20 {
			m.Recall20 += 1 / total
		}
	}
	var ideal float64
	for rank := range min(10, len(q.Relevant)) {
		ideal += discount(rank)
	}
	m.NDCG10 /= ideal
	return m
}

func discount(rank int) float64 { return 1 / math.Log2(float64(rank)+2) }

// Scores measures every question of a set, in its order. A question that is
// missing in the ranking scores 0.
func (r Ranking) Scores(s Set) []Metrics {
	out := make([]Metrics, len(s.Questions))
	for i, q := range s.Questions {
		out[i] = Score(q, r[q.ID])
	}
	return out
}

// Mean averages metrics.
func Mean(all []Metrics) Metrics {
	var sum Metrics
	for _, m := range all {
		sum.Recall5 += m.Recall5
		sum.Recall10 += m.Recall10
		sum.Recall20 += m.Recall20
		sum.MRR10 += m.MRR10
		sum.NDCG10 += m.NDCG10
		sum.Hit1 += m.Hit1
		sum.Complete10 += m.Complete10
	}
	n := float64(max(len(all), 1))
	return Metrics{sum.Recall5 / n, sum.Recall10 / n, sum.Recall20 / n, sum.MRR10 / n, sum.NDCG10 / n, sum.Hit1 / n, sum.Complete10 / n}
}

// Significance is the two-sided p value of a paired randomisation test: how
// often a difference of means at least as large as that between a and b comes
// about when each question's pair is swapped at random (Smucker, Allan and
// Carterette, 2007). It makes 10,000 draws from a fixed seed. a and b must have
// the same length.
func Significance(a, b []float64) float64 {
	const draws = 10_000
	rnd := rand.New(rand.NewPCG(1, 2))
	diffs := make([]float64, len(a))
	var observed float64
	for i := range a {
		diffs[i] = a[i] - b[i]
		observed += diffs[i]
	}
	observed = math.Abs(observed)
	extreme := 0
	for range draws {
		var sum float64
		for _, d := range diffs {
			if rnd.Uint64()&1 == 0 {
				d = -d
			}
			sum += d
		}
		if math.Abs(sum) >= observed-1e-12 {
			extreme++
		}
	}
	return float64(extreme+1) / (draws + 1)
}

// Row is a line of a table.
type Row struct {
	Name string
	N    int // questions
	Metrics
}

// Table prints rows in columns.
func Table(w io.Writer, rows []Row) {
	width := 7
	for _, r := range rows {
		width = max(width, len(r.Name))
	}
	fmt.Fprintf(w, "%-*s %5s  R@5   R@10  R@20  MRR   nDCG  hit@1 all@10\n", width, "", "n")
	for _, r := range rows {
		fmt.Fprintf(w, "%-*s %5d  %.3f %.3f %.3f %.3f %.3f %.3f %.3f\n", width, r.Name, r.N,
			r.Recall5, r.Recall10, r.Recall20, r.MRR10, r.NDCG10, r.Hit1, r.Complete10)
	}
}

// Values picks one measure of each question, for Significance.
func Values(all []Metrics, measure func(Metrics) float64) []float64 {
	return slices.Collect(func(yield func(float64) bool) {
		for _, m := range all {
			if !yield(measure(m)) {
				return
			}
		}
	})
}
