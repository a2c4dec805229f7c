package qdrant

import (
	"cmp"
	"context"
	"iter"
	"slices"

	qc "github.com/qdrant/go-client/qdrant"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// How much is read in one request.
const (
	docsPage = 128  // whole documents
	idsPage  = 2000 // ids alone
)

// snapshotBytes is how much of the documents an iteration reads before it yields
// the first. Tests change it.
var snapshotBytes = 32 << 20

// retrieve reads points by their ids, which are any number.
func (s *Store) retrieve(ctx context.Context, ids []*qc.PointId, payload *qc.WithPayloadSelector, vectors *qc.WithVectorsSelector) ([]*qc.RetrievedPoint, error) {
	page := docsPage
	if payload == withID {
		page = idsPage
	}
	var out []*qc.RetrievedPoint
	for part := range slices.Chunk(ids, page) {
		err := s.call(ctx, "reading", func(ctx context.Context) error {
			r, err := s.client.Points().Get(ctx, &qc.GetPoints{CollectionName: s.cfg.Collection, Ids: part, WithPayload: payload, WithVectors: vectors})
			if err == nil {
				out = append(out, r.GetResult()...)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// versions reads whole points, by their ids.
func (s *Store) versions(ctx context.Context, ids []*qc.PointId) (map[string]*qc.PointStruct, error) {
	found, err := s.retrieve(ctx, ids, qc.NewWithPayload(true), qc.NewWithVectors(true))
	if err != nil {
		return nil, err
	}
	out := make(map[string]*qc.PointStruct, len(found))
	for _, p := range found {
		vectors := make(map[string]*qc.Vector, 2)
		for name, v := range p.GetVectors().GetVectors().GetVectors() {
			if name == sparse {
				indices, values := sparseOf(v)
				vectors[name] = qc.NewVectorSparse(indices, values)
			} else {
				vectors[name] = qc.NewVectorDense(denseOf(v))
			}
		}
		out[p.Id.GetUuid()] = &qc.PointStruct{Id: p.Id, Payload: p.Payload, Vectors: qc.NewVectorsMap(vectors)}
	}
	return out, nil
}

// Servers before 1.17 answer in the fields that have been deprecated since.

func denseOf(v *qc.VectorOutput) []float32 {
	if d := v.GetDense(); d != nil {
		return d.GetData()
	}
	//lint:ignore SA1019 see above
	return v.GetData()
}

func sparseOf(v *qc.VectorOutput) ([]uint32, []float32) {
	if d := v.GetSparse(); d != nil {
		return d.GetIndices(), d.GetValues()
	}
	//lint:ignore SA1019 see above
	return v.GetIndices().GetData(), v.GetData()
}

// Get implements vectorstore.VectorStore.
func (s *Store) Get(ctx context.Context, ids ...string) ([]vectorstore.Document, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	byID, err := s.documents(ctx, ids, withData)
	if err != nil {
		return nil, err
	}
	var out []vectorstore.Document
	for _, id := range ids {
		if d, ok := byID[id]; ok {
			out = append(out, d.Clone())
		}
	}
	return out, nil
}

// documents reads documents by their ids.
func (s *Store) documents(ctx context.Context, ids []string, payload *qc.WithPayloadSelector) (map[string]vectorstore.Document, error) {
	points, err := s.retrieve(ctx, pointIDs(ids), payload, nil)
	if err != nil {
		return nil, err
	}
	out := make(map[string]vectorstore.Document, len(points))
	for _, p := range points {
		d, err := document(p.GetPayload())
		if err != nil {
			return nil, err
		}
		out[d.ID] = d
	}
	return out, nil
}

// Count implements vectorstore.VectorStore.
func (s *Store) Count(ctx context.Context, f vectorstore.Filter) (int, error) {
	return s.count(ctx, newPlan(f))
}

// PendingCount implements vectorstore.Pender.
func (s *Store) PendingCount(ctx context.Context) (int, error) {
	return s.count(ctx, isPending())
}

func isPending() plan { return plan{}.and(qc.NewMatchKeyword(keyState, statePending)) }

func (s *Store) count(ctx context.Context, p plan) (n int, err error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	if p.local != nil {
		err := s.scroll(ctx, p, withoutData, func(vectorstore.Document) *qc.WithPayloadSelector { n++; return withoutData })
		return n, err
	}
	err = s.call(ctx, "counting", func(ctx context.Context) error {
		r, err := s.client.Points().Count(ctx, &qc.CountPoints{CollectionName: s.cfg.Collection, Filter: p.server, Exact: qc.PtrOf(true)})
		n = int(r.GetResult().GetCount())
		return err
	})
	return n, err
}

// scroll calls each for every document that a plan selects, in the order of the
// points' ids. each says how much of the documents to read from the next page
// on. Ids alone cannot be judged by a filter: those that the server selects all
// pass.
func (s *Store) scroll(ctx context.Context, p plan, payload *qc.WithPayloadSelector, each func(vectorstore.Document) *qc.WithPayloadSelector) error {
	var offset *qc.PointId
	for {
		limit := uint32(docsPage)
		if payload == withID {
			limit = idsPage
		}
		var page *qc.ScrollResponse
		err := s.call(ctx, "reading", func(ctx context.Context) (err error) {
			page, err = s.client.Points().Scroll(ctx, &qc.ScrollPoints{CollectionName: s.cfg.Collection,
				Filter: p.server, Offset: offset, Limit: &limit, WithPayload: payload})
			return err
		})
		if err != nil {
			return err
		}
		whole, next := payload != withID, payload
		for _, point := range page.GetResult() {
			d, err := document(point.GetPayload())
			if err != nil {
				return err
			}
			if !whole || vectorstore.Matches(p.local, d) {
				next = each(d)
			}
		}
		if offset = page.GetNextPageOffset(); offset == nil {
			return nil
		}
		payload = next
	}
}

// All implements vectorstore.VectorStore. The package comment says what it sees
// of changes made meanwhile.
func (s *Store) All(ctx context.Context, f vectorstore.Filter) iter.Seq2[vectorstore.Document, error] {
	return s.iterate(ctx, newPlan(f))
}

// Pending implements vectorstore.Pender.
func (s *Store) Pending(ctx context.Context) iter.Seq2[vectorstore.Document, error] {
	return s.iterate(ctx, isPending())
}

// entry is a document of an iteration; only its id is known if doc is nil.
type entry struct {
	id  string
	doc *vectorstore.Document
}

func (s *Store) iterate(ctx context.Context, p plan) iter.Seq2[vectorstore.Document, error] {
	return func(yield func(vectorstore.Document, error) bool) {
		entries, err := s.entries(ctx, p)
		for len(entries) > 0 && err == nil {
			page := entries[:min(docsPage, len(entries))]
			entries = entries[len(page):]
			if err = s.load(ctx, page); err != nil {
				break
			}
			for _, e := range page {
				if err = s.usable(ctx); err != nil {
					break
				}
				if e.doc != nil && vectorstore.Matches(p.local, *e.doc) && !yield(*e.doc, nil) {
					return
				}
			}
		}
		if err != nil {
			yield(vectorstore.Document{}, err)
		}
	}
}

// entries lists what a plan selects, in the order of the documents' ids, with
// the documents of as much as snapshotBytes allows.
func (s *Store) entries(ctx context.Context, p plan) ([]entry, error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	var out []entry
	size := 0
	err := s.scroll(ctx, p, withData, func(d vectorstore.Document) *qc.WithPayloadSelector {
		e := entry{id: d.ID}
		if size < snapshotBytes {
			e.doc = &d
			size += len(d.Content) + len(d.Data) + 64*len(d.Metadata)
		}
		out = append(out, e)
		if size < snapshotBytes {
			return withData
		}
		return withID
	})
	slices.SortFunc(out, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	return out, err
}

// load reads the documents that are missing. Those that are gone stay nil.
func (s *Store) load(ctx context.Context, page []entry) error {
	var ids []string
	for _, e := range page {
		if e.doc == nil {
			ids = append(ids, e.id)
		}
	}
	if ids == nil {
		return nil
	}
	found, err := s.documents(ctx, ids, withData)
	if err != nil {
		return err
	}
	for i, e := range page {
		if d, ok := found[e.id]; ok && e.doc == nil {
			page[i].doc = &d
		}
	}
	return nil
}
