package retriever

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
	"unicode/utf8"
)

// RerankStyle is a dialect of the /rerank protocol.
type RerankStyle string

// The styles. The zero value means Cohere's, which Jina, vLLM, LiteLLM and
// others speak too.
const (
	RerankCohere RerankStyle = "cohere" // {"documents"} → {"results": [{"index", "relevance_score"}]}
	RerankTEI    RerankStyle = "tei"    // {"texts"} → [{"index", "score"}], Hugging Face text-embeddings-inference
)

// RerankClient is a Reranker behind the common HTTP protocol.
type RerankClient struct {
	URL   string // of the endpoint: "http://localhost:8080/rerank"
	Model string // sent if not empty
	Key   string // sent as a bearer token if not empty; never in an error
	Style RerankStyle
	// Client sends the requests; nil means one with a timeout of ten seconds.
	Client *http.Client
	// MaxText bounds the text of each document in bytes; 0 means 4,000.
	MaxText int
}

const (
	defaultRerankText  = 4000
	maxRerankAnswer    = 4 << 20
	defaultRerankLimit = 10 * time.Second
)

var defaultRerankClient = &http.Client{Timeout: defaultRerankLimit}

// Rerank implements Reranker.
func (r *RerankClient) Rerank(ctx context.Context, query string, hits []Hit) ([]float64, error) {
	texts := make([]string, len(hits))
	for i, h := range hits {
		texts[i] = clip(h.Content, r.MaxText)
	}
	request := map[string]any{"query": query, "documents": texts, "top_n": len(texts), "return_documents": false}
	if r.Style == RerankTEI {
		request = map[string]any{"query": query, "texts": texts, "truncate": true}
	}
	if r.Model != "" {
		request["model"] = r.Model
	}
	body, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("retriever: %w", err)
	}
	answer, err := r.post(ctx, body)
	if err != nil {
		return nil, err
	}
	return scoresOf(answer, len(hits))
}

func clip(s string, n int) string {
	if n <= 0 {
		n = defaultRerankText
	}
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func (r *RerankClient) post(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("retriever: the address of the reranker is not usable: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	if r.Key != "" {
		req.Header.Set("Authorization", "Bearer "+r.Key)
	}
	client := r.Client
	if client == nil {
		client = defaultRerankClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("retriever: the reranker cannot be reached: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		io.CopyN(io.Discard, resp.Body, 4<<10)
		return nil, fmt.Errorf("retriever: the reranker answered with status %d", resp.StatusCode)
	}
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxRerankAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("retriever: reading the reranker's answer: %w", err)
	}
	if len(answer) > maxRerankAnswer {
		return nil, fmt.Errorf("%w: it is larger than %d bytes", errReranker, maxRerankAnswer)
	}
	return answer, nil
}

// scoresOf reads an answer of either style. Every one of n documents must have
// exactly one score; scores outside of [0, 1] (logits) are brought there by the
// logistic function.
func scoresOf(answer []byte, n int) ([]float64, error) {
	type result struct {
		Index     *int     `json:"index"`
		Relevance *float64 `json:"relevance_score"`
		Score     *float64 `json:"score"`
	}
	var results []result
	if trimmed := bytes.TrimSpace(answer); len(trimmed) > 0 && trimmed[0] == '[' {
		if err := json.Unmarshal(trimmed, &results); err != nil {
			return nil, fmt.Errorf("%w: %w", errReranker, err)
		}
	} else {
		var wrapped struct {
			Results []result `json:"results"`
		}
		if err := json.Unmarshal(trimmed, &wrapped); err != nil {
			return nil, fmt.Errorf("%w: %w", errReranker, err)
		}
		results = wrapped.Results
	}
	scores, seen, logits := make([]float64, n), make([]bool, n), false
	if len(results) != n {
		return nil, fmt.Errorf("%w: %d scores for %d documents", errReranker, len(results), n)
	}
	for _, r := range results {
		score := r.Relevance
		if score == nil {
			score = r.Score
		}
		if r.Index == nil || score == nil || *r.Index < 0 || *r.Index >= n || seen[*r.Index] {
			return nil, fmt.Errorf("%w: an entry has no score, or an index that is missing, repeated or out of range", errReranker)
		}
		scores[*r.Index], seen[*r.Index] = *score, true
		logits = logits || *score < 0 || *score > 1
	}
	if logits {
		for i, s := range scores {
			scores[i] = logistic(s)
		}
	}
	return scores, nil
}
