package qdranttest

import (
	"context"

	qc "github.com/qdrant/go-client/qdrant"
)

// write prepares a change while it holds the lock, and applies it at once or,
// with wait=false, later.
func (s points) write(name string, wait *bool, prepare func(*collection) (func(), error)) (*qc.UpdateResult, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.find(name)
	if err != nil {
		return nil, err
	}
	apply, err := prepare(c)
	if err != nil {
		return nil, err
	}
	c.queue = append(c.queue, apply)
	status := qc.UpdateStatus_Acknowledged
	if wait != nil && *wait {
		c.settle()
		status = qc.UpdateStatus_Completed
	}
	return &qc.UpdateResult{OperationId: qc.PtrOf(uint64(1)), Status: status}, nil
}

func (s points) Upsert(_ context.Context, r *qc.UpsertPoints) (*qc.PointsOperationResponse, error) {
	u, err := s.write(r.GetCollectionName(), r.Wait, func(c *collection) (func(), error) {
		return c.upsert(r.GetPoints(), r.GetUpdateFilter(), r.GetUpdateMode())
	})
	return &qc.PointsOperationResponse{Result: u}, err
}

func (s points) Delete(_ context.Context, r *qc.DeletePoints) (*qc.PointsOperationResponse, error) {
	u, err := s.write(r.GetCollectionName(), r.Wait, func(c *collection) (func(), error) { return c.remove(r.GetPoints()) })
	return &qc.PointsOperationResponse{Result: u}, err
}

// UpdateBatch carries out operations one after the other; an error leaves those
// before it.
func (s points) UpdateBatch(_ context.Context, r *qc.UpdateBatchPoints) (*qc.UpdateBatchResponse, error) {
	out := &qc.UpdateBatchResponse{}
	for _, o := range r.GetOperations() {
		u, err := s.write(r.GetCollectionName(), r.Wait, func(c *collection) (func(), error) {
			switch o := o.GetOperation().(type) {
			case *qc.PointsUpdateOperation_Upsert:
				return c.upsert(o.Upsert.GetPoints(), o.Upsert.GetUpdateFilter(), o.Upsert.GetUpdateMode())
			case *qc.PointsUpdateOperation_DeletePoints_:
				return c.remove(o.DeletePoints.GetPoints())
			}
			return nil, unimplemented("this operation of a batch")
		})
		if err != nil {
			return nil, err
		}
		out.Result = append(out.Result, u)
	}
	return out, nil
}

// upsert replaces whole points. A filter, if there is one, decides which of the
// points that are there already may be replaced.
func (c *collection) upsert(given []*qc.PointStruct, filter *qc.Filter, mode qc.UpdateMode) (func(), error) {
	parsed := make([]*point, len(given))
	for i, p := range given {
		var err error
		if parsed[i], err = c.parsePoint(p); err != nil {
			return nil, err
		}
	}
	matches, err := compile(filter)
	if err != nil {
		return nil, err
	}
	return func() {
		for _, p := range parsed {
			old, there := c.points[p.key]
			switch {
			case there && (mode == qc.UpdateMode_InsertOnly || !matches(old)):
			case !there && mode == qc.UpdateMode_UpdateOnly:
			default:
				c.put(p)
			}
		}
	}, nil
}

// remove deletes points by id or by filter. An empty filter deletes all.
func (c *collection) remove(selector *qc.PointsSelector) (func(), error) {
	switch o := selector.GetPointsSelectorOneOf().(type) {
	case *qc.PointsSelector_Points:
		keys := make([]string, len(o.Points.GetIds()))
		for i, id := range o.Points.GetIds() {
			var err error
			if keys[i], _, err = parseID(id); err != nil {
				return nil, err
			}
		}
		return func() {
			for _, key := range keys {
				c.drop(key)
			}
		}, nil
	case *qc.PointsSelector_Filter:
		matches, err := compile(o.Filter)
		if err != nil {
			return nil, err
		}
		return func() {
			for key, p := range c.points {
				if matches(p) {
					c.drop(key)
				}
			}
		}, nil
	}
	return nil, wrong("PointsSelector is missing")
}

var schemaTypes = map[qc.FieldType]qc.PayloadSchemaType{
	qc.FieldType_FieldTypeKeyword: qc.PayloadSchemaType_Keyword,
	qc.FieldType_FieldTypeInteger: qc.PayloadSchemaType_Integer,
	qc.FieldType_FieldTypeFloat:   qc.PayloadSchemaType_Float,
	qc.FieldType_FieldTypeBool:    qc.PayloadSchemaType_Bool,
}

// CreateFieldIndex notes an index, which changes no answer.
func (s points) CreateFieldIndex(_ context.Context, r *qc.CreateFieldIndexCollection) (*qc.PointsOperationResponse, error) {
	kind, ok := schemaTypes[r.GetFieldType()]
	if !ok {
		return nil, unimplemented("indexes of type " + r.GetFieldType().String())
	}
	if _, err := parsePath(r.GetFieldName()); err != nil {
		return nil, err
	}
	u, err := s.write(r.GetCollectionName(), r.Wait, func(c *collection) (func(), error) {
		return func() { c.schema[r.GetFieldName()] = &qc.PayloadSchemaInfo{DataType: kind} }, nil
	})
	return &qc.PointsOperationResponse{Result: u}, err
}
