package qdrant

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	qc "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// Bounds of one request.
const (
	maxRecords = 500
	maxBytes   = 8 << 20 // a larger record goes by itself
	maxIDs     = 5000
)

// request is a part of a batch that the server applies together.
type request struct {
	points  []*qc.PointStruct
	deletes []*qc.PointId
}

// Upsert implements vectorstore.VectorStore. The package comment says what "all
// or nothing" means on a server without transactions.
func (s *Store) Upsert(ctx context.Context, records ...vectorstore.Record) error {
	return s.Apply(ctx, vectorstore.Batch{Upsert: records})
}

// Apply implements vectorstore.Applier, under the same conditions as Upsert.
func (s *Store) Apply(ctx context.Context, b vectorstore.Batch) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	mark := rand.Text()
	points, err := s.points(b, mark)
	if err != nil {
		return err
	}
	var ids, deletes []*qc.PointId
	for _, p := range points {
		ids = append(ids, p.Id)
	}
	deletes = pointIDs(b.Delete)
	requests := split(points, deletes)
	if len(requests) == 0 {
		return nil
	}
	before, err := s.versions(ctx, append(ids, deletes...))
	if err != nil {
		return err
	}
	for i, r := range requests {
		if err := s.send(ctx, "writing", r.operations()); err != nil {
			return s.undo(ctx, err, requests[:i+1], before, mark)
		}
	}
	return nil
}

// points validates a batch and makes its points.
func (s *Store) points(b vectorstore.Batch, mark string) ([]*qc.PointStruct, error) {
	if err := vectorstore.ValidateBatch(b.Upsert, s.dimensions); err != nil {
		return nil, err
	}
	upserted := make(map[string]bool, len(b.Upsert))
	points := make([]*qc.PointStruct, len(b.Upsert))
	for i, r := range b.Upsert {
		upserted[r.ID] = true
		p, err := s.point(r, mark)
		if err != nil {
			return nil, err
		}
		points[i] = p
	}
	for _, id := range b.Delete {
		if upserted[id] {
			return nil, fmt.Errorf("%w: id %q is both stored and deleted", vectorstore.ErrInvalid, id)
		}
	}
	return points, nil
}

// split divides a batch into requests, the deletions last.
func split(points []*qc.PointStruct, deletes []*qc.PointId) []request {
	var out []request
	var current request
	size := 0
	for _, p := range points {
		n := proto.Size(p)
		if len(current.points) > 0 && (len(current.points) == maxRecords || size+n > maxBytes) {
			out = append(out, current)
			current, size = request{}, 0
		}
		current.points = append(current.points, p)
		size += n
	}
	for len(deletes) > maxIDs {
		current.deletes = deletes[:maxIDs]
		deletes = deletes[maxIDs:]
		out = append(out, current)
		current = request{}
	}
	current.deletes = deletes
	if len(current.points)+len(current.deletes) > 0 {
		out = append(out, current)
	}
	return out
}

func (r request) operations() []*qc.PointsUpdateOperation {
	var out []*qc.PointsUpdateOperation
	if len(r.points) > 0 {
		out = append(out, qc.NewPointsUpdateUpsert(&qc.PointsUpdateOperation_PointStructList{Points: r.points}))
	}
	if len(r.deletes) > 0 {
		out = append(out, qc.NewPointsUpdateDeletePoints(&qc.PointsUpdateOperation_DeletePoints{Points: qc.NewPointsSelectorIDs(r.deletes)}))
	}
	return out
}

// send makes the server apply operations, and waits until it has.
func (s *Store) send(ctx context.Context, op string, operations []*qc.PointsUpdateOperation) error {
	return s.call(ctx, op, func(ctx context.Context) error {
		r, err := s.client.Points().UpdateBatch(ctx, &qc.UpdateBatchPoints{
			CollectionName: s.cfg.Collection, Wait: qc.PtrOf(true), Operations: operations})
		if err != nil {
			return err
		}
		for _, u := range r.GetResult() {
			switch u.GetStatus() {
			case qc.UpdateStatus_Completed, qc.UpdateStatus_Acknowledged:
			default:
				return status.Errorf(codes.Unavailable, "the write was not confirmed: %s", u.GetStatus())
			}
		}
		return nil
	})
}

// undo takes back what was sent of a batch, after err. Only points that still
// carry the batch's mark are touched.
func (s *Store) undo(ctx context.Context, err error, sent []request, before map[string]*qc.PointStruct, mark string) error {
	if len(sent) == 1 && (isCode(err, codes.Unauthenticated) || isCode(err, codes.NotFound)) {
		return err // refused before anything was applied
	}
	s.cfg.Logger.WarnContext(ctx, "qdrant: undoing a batch", "requests", len(sent), "error", err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*s.cfg.Timeout)
	defer cancel()
	for _, r := range sent {
		if failed := s.send(ctx, "undoing", r.inverse(before, mark)); failed != nil {
			return errors.Join(fmt.Errorf("%w: %w", ErrPartial, err), failed)
		}
	}
	return fmt.Errorf("%w (nothing has changed)", err)
}

// inverse returns the operations that undo a request.
func (r request) inverse(before map[string]*qc.PointStruct, mark string) []*qc.PointsUpdateOperation {
	var replaced, deleted []*qc.PointStruct
	var added []*qc.PointId
	for _, p := range r.points {
		if old, ok := before[p.Id.GetUuid()]; ok {
			replaced = append(replaced, old)
		} else {
			added = append(added, p.Id)
		}
	}
	for _, id := range r.deletes {
		if old, ok := before[id.GetUuid()]; ok {
			deleted = append(deleted, old)
		}
	}
	ours := qc.NewMatchKeyword(keyBatch, mark)
	var out []*qc.PointsUpdateOperation
	if replaced != nil {
		out = append(out, qc.NewPointsUpdateUpsert(&qc.PointsUpdateOperation_PointStructList{Points: replaced,
			UpdateMode: qc.UpdateMode_UpdateOnly.Enum(), UpdateFilter: &qc.Filter{Must: []*qc.Condition{ours}}}))
	}
	if added != nil {
		out = append(out, qc.NewPointsUpdateDeletePoints(&qc.PointsUpdateOperation_DeletePoints{
			Points: qc.NewPointsSelectorFilter(&qc.Filter{Must: []*qc.Condition{qc.NewHasID(added...), ours}})}))
	}
	if deleted != nil {
		out = append(out, qc.NewPointsUpdateUpsert(&qc.PointsUpdateOperation_PointStructList{Points: deleted,
			UpdateMode: qc.UpdateMode_InsertOnly.Enum()}))
	}
	return out
}

// Delete implements vectorstore.VectorStore. More than 5,000 ids are several
// requests; after an error, the count is that of the documents whose deletion
// was confirmed.
func (s *Store) Delete(ctx context.Context, ids ...string) (int, error) {
	if err := s.usable(ctx); err != nil {
		return 0, err
	}
	deleted := 0
	for _, r := range split(nil, pointIDs(ids)) {
		there, err := s.retrieve(ctx, r.deletes, withID, nil)
		if err != nil {
			return deleted, err
		}
		if err := s.send(ctx, "deleting", r.operations()); err != nil {
			return deleted, err
		}
		deleted += len(there)
	}
	return deleted, nil
}

// pointIDs returns the points' ids of documents, each once.
func pointIDs(ids []string) []*qc.PointId {
	seen := make(map[string]bool, len(ids))
	out := make([]*qc.PointId, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, pointID(id))
		}
	}
	return out
}
