package retriever

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
)

// Limits of the splitting of requests.
const (
	maxClauses    = 12
	minClause     = 2 // terms
	clausePool    = 50
	wholeShare    = 0.3 // what the question as a whole counts beside its clauses
	maxSplitBytes = 8 << 10
)

// Clauses retrieves a question that asks for several things once for each of
// them, and fuses the lists. A document's place is decided by its best clause,
// as a share of what the clause's best document scores, so that each clause
// brings its own first document before any brings its second; the question as a
// whole counts a little beside that. Sentences that ask nothing ("I am planning
// a trip.") are context of the clause after them (Query.Context).
//
// A question with fewer than two requests goes through as it is, or, if
// something was said around its one request, with that as context.
func Clauses(c *Corpus, next Retriever) Retriever {
	return c.stage(func(ctx context.Context, q Query) (Result, error) {
		index, err := c.lexicalIndex(ctx)
		if err != nil {
			return Result{}, err
		}
		requests := split(q.Text, func(s string) int { return len(index.Analyze(s)) })
		switch {
		case len(requests) == 0 || len(requests) == 1 && requests[0].context == "":
			return next.Retrieve(ctx, q)
		case len(requests) == 1:
			q.Text, q.Context = requests[0].text, join(q.Context, requests[0].context)
			return next.Retrieve(ctx, q)
		}
		return fuseClauses(ctx, q, requests, next)
	})
}

func fuseClauses(ctx context.Context, q Query, requests []request, next Retriever) (Result, error) {
	wide := q
	wide.K = max(clausePool, q.K)
	wide.several = true
	out, err := next.Retrieve(ctx, wide)
	if err != nil || len(out.Hits) == 0 {
		return out, err
	}
	best := out.Hits[0].Score // on the common scale
	byID := make(map[string]Hit, 2*len(out.Hits))
	share := make(map[string]float64, 2*len(out.Hits))
	for i, r := range requests {
		part := wide
		part.Text, part.Context, part.Terms = r.text, r.context, nil
		found, err := next.Retrieve(ctx, part)
		if err != nil {
			return Result{}, err
		}
		if len(found.Hits) == 0 {
			continue
		}
		top := found.Hits[0].Score
		best = max(best, top)
		for _, h := range found.Hits {
			if s := h.Score / top; s > share[h.ID] {
				share[h.ID] = s
				h.Signals["clause"] = float64(i + 1)
				byID[h.ID] = h
			}
		}
		out.Degraded = cmp.Or(out.Degraded, found.Degraded)
	}
	for _, h := range out.Hits {
		if _, ok := byID[h.ID]; !ok {
			byID[h.ID] = h
		}
		share[h.ID] += wholeShare * h.Score / out.Hits[0].Score
	}
	hits := make([]Hit, 0, len(byID))
	for _, h := range byID {
		h.Score = share[h.ID]
		hits = append(hits, h)
	}
	sortHits(hits)
	scale(hits, best)
	out.Hits = hits[:min(len(hits), q.K)]
	return out, nil
}

// scale multiplies scores so that the first becomes best.
func scale(hits []Hit, best float64) {
	if len(hits) == 0 || hits[0].Score == 0 {
		return
	}
	factor := best / hits[0].Score
	for i := range hits {
		hits[i].Score *= factor
	}
}

func sortHits(hits []Hit) {
	slices.SortFunc(hits, func(a, b Hit) int { return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID)) })
}

// request is a clause that asks for something, and what was said before it.
type request struct{ text, context string }

// split finds the requests of a text. count says how many terms a text has.
func split(text string, count func(string) int) []request {
	if len(text) > maxSplitBytes {
		return nil // a document rather than a question
	}
	var (
		out  []request
		said []string
		last int // of out
	)
	for _, c := range clauses(text) {
		if len(out) < maxClauses && asks(c) && count(c) >= minClause {
			out = append(out, request{text: c, context: strings.Join(said, ". ")})
			said, last = nil, len(out)-1
			continue
		}
		said = append(said, c)
	}
	if len(out) > 0 && len(said) > 0 && len(out) == 1 {
		out[last].context = join(out[last].context, strings.Join(said, ". "))
	}
	return out
}

func join(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ". " + b
}

var (
	sentenceEnd = regexp.MustCompile(`[.!?;:]+(?:\s+|$)|\n+`)
	conjunction = regexp.MustCompile(`(?i),\s*(?:(?:and|then|also|finally|or)\s+)*|\s+(?:and then|and also|and|then|while|as well as|before|after|plus|also)\s+`)
	// opening words say nothing of what a clause is: adverbs, greetings, numbers of
	// a list.
	opening = regexp.MustCompile(`(?i)^(?:(?:and|also|then|so|now|first|second|next|hi|hey|hello|please|meanwhile|furthermore|moreover|afterwards|additionally|[a-z]+ly|\d+[.)])\b[.),]?|[,\s"'(-]+)+`)
	asking  = regexp.MustCompile(`(?i)^(?:(?:can|could|would|will|may)\s+(?:you|i|we|it)|i(?:'d| would)? (?:need|want|like|wish)|i(?:'m| am) (?:trying|looking|hoping) (?:to|for)|(?:help|let) (?:me|us)|how|what|which|who|whom|whose|when|where|why|is|are|does|do|did|was|were|(?:we )?(?:need|want))\b`)
)

// clauses splits a text at the ends of sentences, and sentences where a comma
// or a conjunction is followed by a verb of requests.
func clauses(text string) []string {
	var out []string
	keep := func(s string) {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	for _, sentence := range sentenceEnd.Split(text, -1) {
		start := 0
		for _, m := range conjunction.FindAllStringIndex(sentence, -1) {
			if m[0] <= start || !startsWithVerb(sentence[m[1]:]) {
				continue
			}
			keep(sentence[start:m[0]])
			start = m[1]
		}
		keep(sentence[start:])
	}
	return out
}

// asks reports whether a clause asks for something.
func asks(clause string) bool {
	clause = opening.ReplaceAllString(clause, "")
	return asking.MatchString(clause) || startsWithVerb(clause)
}

// startsWithVerb reports whether the first word that is not an opening one is a
// verb of requests.
func startsWithVerb(s string) bool {
	s = strings.TrimPrefix(opening.ReplaceAllString(s, ""), "to ")
	end := strings.IndexFunc(s, func(r rune) bool { return r == ' ' || r == ',' || r == ':' })
	if end < 0 {
		end = len(s)
	}
	return isVerb(strings.ToLower(strings.Trim(s[:end], `"'()`)))
}

// isVerb reports whether a word is a verb of requests, as it stands or with -ing.
func isVerb(word string) bool {
	if verbs[word] {
		return true
	}
	stem, ok := strings.CutSuffix(word, "ing")
	if !ok || stem == "" {
		return false
	}
	n := len(stem)
	return verbs[stem] || verbs[stem+"e"] || n > 3 && stem[n-1] == stem[n-2] && verbs[stem[:n-1]]
}

// verbs begin requests to an API.
var verbs = set(`
	access acknowledge activate adapt add adjust alert align allocate allow alter analyze analyse annotate apply approve
	archive arrange assess assign assist attach authenticate authorize backup begin block book browse build buy calculate
	calibrate cancel capture carry change charge check choose clean clear clone close collect combine compare compile
	complete compute conclude conduct configure confirm connect consult contact contribute control convert coordinate copy
	count create cross-check customize deactivate decide decline decrease delete deliver demote deny deploy deposit describe
	detect determine develop diagnose disable disconnect discover dismiss dispatch display document download drop duplicate
	edit embed emit enable end enrich enroll ensure enter erase escalate establish estimate evaluate examine exchange execute
	expand explore export extend extract fetch file filter finalize find finish flag follow forecast forward freeze gather
	generate get give grant highlight identify ignore implement import improve include incorporate increase inform initiate
	inquire insert inspect install integrate investigate invite invoice issue join keep kick label launch leave link list
	lock log login look lookup lower maintain make manage map mark match measure mention merge migrate modify monitor move
	mute name negotiate note notify observe obtain offer open optimize optimise order organize override participate pause pay
	perform pick pin ping place plan post predict prepare present preview prioritize process promote propose provide publish
	pull purchase purge push query quote raise rank rate react read realign reassign receive recommend reconcile record
	recover redeem redirect reduce refine refresh refund register reject release remove rename renew reopen repeat replace
	reply report request reschedule resend reserve reset resolve respond restart restore resume retire retrieve retry return
	reverse revert review revoke run save scale scan schedule score search secure see select send set settle setup share
	shift show sign signal simulate sort specify split standardize star start stop store stream submit subscribe suggest
	summarize summarise supply support survey suspend switch sync synchronize tag take target tell terminate test text
	toggle track trade transfer transform translate trigger unarchive unassign unblock unfollow unfreeze unlink unlock unmute
	unpin unregister unshare unstar unsubscribe update upgrade upload use utilize validate verify view visualize vote watch
	withdraw write`)
