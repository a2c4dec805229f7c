package qdranttest

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	qc "github.com/qdrant/go-client/qdrant"
)

// point is a stored point. It is immutable.
type point struct {
	key     string // what ids are ordered by: numbers before UUIDs
	id      *qc.PointId
	payload map[string]*qc.Value
	dense   map[string][]float32
	sparse  map[string]sparseVector
}

// sparseVector is in the order of its indices.
type sparseVector struct {
	indices []uint32
	values  []float32
}

type points struct {
	qc.UnimplementedPointsServer
	*Server
}

// parseID brings an id into its canonical form.
func parseID(id *qc.PointId) (string, *qc.PointId, error) {
	switch v := id.GetPointIdOptions().(type) {
	case *qc.PointId_Num:
		return fmt.Sprintf("0%020d", v.Num), id, nil
	case *qc.PointId_Uuid:
		x := strings.ToLower(strings.ReplaceAll(v.Uuid, "-", ""))
		if _, err := hex.DecodeString(x); err != nil || len(x) != 32 {
			return "", nil, wrong("Unable to parse UUID: %s", v.Uuid)
		}
		uuid := x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
		return "1" + uuid, qc.NewIDUUID(uuid), nil
	}
	return "", nil, wrong("No ID options provided")
}

// parsePoint checks a point against its collection.
func (c *collection) parsePoint(p *qc.PointStruct) (*point, error) {
	key, id, err := parseID(p.GetId())
	if err != nil {
		return nil, err
	}
	out := &point{key: key, id: id, payload: p.GetPayload(), dense: make(map[string][]float32), sparse: make(map[string]sparseVector)}
	vectors := map[string]*qc.Vector{}
	if v := p.GetVectors().GetVector(); v != nil {
		vectors[""] = v
	}
	maps.Copy(vectors, p.GetVectors().GetVectors().GetVectors())
	for name, v := range vectors {
		if params, ok := c.dense[name]; ok {
			if out.dense[name], err = parseDense(v, params); err != nil {
				return nil, err
			}
			continue
		}
		if _, ok := c.sparse[name]; !ok {
			return nil, wrong("Not existing vector name error: %s", name)
		}
		if out.sparse[name], err = parseSparse(v.GetSparse().GetIndices(), v.GetSparse().GetValues()); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseDense(v *qc.Vector, params *qc.VectorParams) ([]float32, error) {
	data := v.GetDense().GetData()
	if data == nil {
		//lint:ignore SA1019 clients may still use it
		data = v.GetData()
	}
	if uint64(len(data)) != params.GetSize() {
		return nil, dimensionError(params, len(data))
	}
	if params.GetDistance() == qc.Distance_Cosine {
		return normalized(data), nil
	}
	return data, nil
}

func dimensionError(params *qc.VectorParams, got int) error {
	return wrong("Vector dimension error: expected dim: %d, got %d", params.GetSize(), got)
}

// normalized is a vector of length 1, or the vector itself if it is zero or of
// that length already.
func normalized(v []float32) []float32 {
	var sum float32
	for _, x := range v {
		sum += x * x
	}
	if sum < math.SmallestNonzeroFloat32 || math.Abs(float64(sum)-1) <= 1e-6 {
		return v
	}
	length := float32(math.Sqrt(float64(sum)))
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = x / length
	}
	return out
}

func parseSparse(indices []uint32, values []float32) (sparseVector, error) {
	if len(indices) != len(values) {
		return sparseVector{}, wrong("Sparse indices does not match sparse vector conditions: must be the same length as values")
	}
	order := make([]int, len(indices))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(int64(indices[a]) - int64(indices[b])) })
	out := sparseVector{make([]uint32, len(order)), make([]float32, len(order))}
	for i, at := range order {
		out.indices[i], out.values[i] = indices[at], values[at]
		if i > 0 && out.indices[i] == out.indices[i-1] {
			return sparseVector{}, wrong("Sparse indices does not match sparse vector conditions: must be unique")
		}
	}
	return out, nil
}

// put adds or replaces a point.
func (c *collection) put(p *point) {
	c.drop(p.key)
	c.points[p.key] = p
	c.sorted = nil
	c.tell(p, 1)
}

func (c *collection) drop(key string) {
	if p, ok := c.points[key]; ok {
		delete(c.points, key)
		c.sorted = nil
		c.tell(p, -1)
	}
}

// tell counts a point in the statistics, or out of them.
func (c *collection) tell(p *point, by int) {
	for name, v := range p.sparse {
		s := c.stats[name]
		s.points += by
		for _, index := range v.indices {
			s.df[index] += by
		}
	}
}

func (c *collection) settle() {
	for _, write := range c.queue {
		write()
	}
	c.queue = nil
}

// order sorts the points. The caller holds the lock for writing.
func (c *collection) order() {
	c.sorted = make([]*point, 0, len(c.points))
	for _, key := range slices.Sorted(maps.Keys(c.points)) {
		c.sorted = append(c.sorted, c.points[key])
	}
}

// read runs f on a collection whose points are in order, while nobody writes.
func (s *Server) read(name string, f func(*collection) error) error {
	for {
		done, err := s.tryRead(name, f)
		if done || err != nil {
			return err
		}
		s.mu.Lock()
		if c, err := s.find(name); err == nil {
			c.order()
		}
		s.mu.Unlock()
	}
}

// tryRead runs f, unless the points are not in order.
func (s *Server) tryRead(name string, f func(*collection) error) (bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.find(name)
	if err != nil || c.sorted == nil {
		return false, err
	}
	return true, f(c)
}

// answerPayload returns the part of a payload that was asked for.
func answerPayload(p *point, with *qc.WithPayloadSelector) (map[string]*qc.Value, error) {
	switch o := with.GetSelectorOptions().(type) {
	case *qc.WithPayloadSelector_Enable:
		if o.Enable {
			return p.payload, nil
		}
	case *qc.WithPayloadSelector_Include:
		out := make(map[string]*qc.Value)
		for _, key := range o.Include.GetFields() {
			if strings.ContainsAny(key, `.["`) {
				return nil, unimplemented("nested keys in a payload selector")
			}
			if v, ok := p.payload[key]; ok {
				out[key] = v
			}
		}
		return out, nil
	case *qc.WithPayloadSelector_Exclude:
		out := maps.Clone(p.payload)
		for _, key := range o.Exclude.GetFields() {
			if strings.ContainsAny(key, `.["`) {
				return nil, unimplemented("nested keys in a payload selector")
			}
			delete(out, key)
		}
		return out, nil
	}
	return nil, nil
}

// answerVectors returns the vectors that were asked for.
func answerVectors(p *point, with *qc.WithVectorsSelector) *qc.VectorsOutput {
	var wanted func(string) bool
	switch o := with.GetSelectorOptions().(type) {
	case *qc.WithVectorsSelector_Enable:
		wanted = func(string) bool { return o.Enable }
	case *qc.WithVectorsSelector_Include:
		wanted = func(name string) bool { return slices.Contains(o.Include.GetNames(), name) }
	default:
		return nil
	}
	out := make(map[string]*qc.VectorOutput)
	for name, v := range p.dense {
		if wanted(name) {
			out[name] = &qc.VectorOutput{Vector: &qc.VectorOutput_Dense{Dense: &qc.DenseVector{Data: v}}}
		}
	}
	for name, v := range p.sparse {
		if wanted(name) {
			out[name] = &qc.VectorOutput{Vector: &qc.VectorOutput_Sparse{Sparse: &qc.SparseVector{Indices: v.indices, Values: v.values}}}
		}
	}
	if single, ok := out[""]; ok {
		return &qc.VectorsOutput{VectorsOptions: &qc.VectorsOutput_Vector{Vector: single}}
	}
	return &qc.VectorsOutput{VectorsOptions: &qc.VectorsOutput_Vectors{Vectors: &qc.NamedVectorsOutput{Vectors: out}}}
}

func retrieved(p *point, payload *qc.WithPayloadSelector, vectors *qc.WithVectorsSelector) (*qc.RetrievedPoint, error) {
	selected, err := answerPayload(p, payload)
	return &qc.RetrievedPoint{Id: p.id, Payload: selected, Vectors: answerVectors(p, vectors)}, err
}

func (s points) Get(_ context.Context, r *qc.GetPoints) (*qc.GetResponse, error) {
	out := &qc.GetResponse{}
	err := s.read(r.GetCollectionName(), func(c *collection) error {
		seen := make(map[string]bool)
		for _, id := range r.GetIds() {
			key, _, err := parseID(id)
			if err != nil {
				return err
			}
			p, ok := c.points[key]
			if !ok || seen[key] {
				continue
			}
			seen[key] = true
			answer, err := retrieved(p, r.GetWithPayload(), r.GetWithVectors())
			if err != nil {
				return err
			}
			out.Result = append(out.Result, answer)
		}
		return nil
	})
	return out, err
}

func (s points) Scroll(_ context.Context, r *qc.ScrollPoints) (*qc.ScrollResponse, error) {
	out := &qc.ScrollResponse{}
	err := s.read(r.GetCollectionName(), func(c *collection) error {
		if r.GetOrderBy() != nil {
			return unimplemented("scrolling in another order than that of the ids")
		}
		limit := 10
		if r.Limit != nil {
			limit = int(r.GetLimit())
		}
		if limit == 0 {
			return wrong("limit cannot be 0")
		}
		matches, err := compile(r.GetFilter())
		if err != nil {
			return err
		}
		from := ""
		if r.GetOffset() != nil {
			if from, _, err = parseID(r.GetOffset()); err != nil {
				return err
			}
		}
		at, _ := slices.BinarySearchFunc(c.sorted, from, func(p *point, key string) int { return strings.Compare(p.key, key) })
		for _, p := range c.sorted[at:] {
			if !matches(p) {
				continue
			}
			if len(out.Result) == limit {
				out.NextPageOffset = p.id
				return nil
			}
			answer, err := retrieved(p, r.GetWithPayload(), r.GetWithVectors())
			if err != nil {
				return err
			}
			out.Result = append(out.Result, answer)
		}
		return nil
	})
	return out, err
}

func (s points) Count(_ context.Context, r *qc.CountPoints) (*qc.CountResponse, error) {
	n := uint64(0)
	err := s.read(r.GetCollectionName(), func(c *collection) error {
		matches, err := compile(r.GetFilter())
		if err != nil {
			return err
		}
		for _, p := range c.points {
			if matches(p) {
				n++
			}
		}
		return nil
	})
	return &qc.CountResponse{Result: &qc.CountResult{Count: n}}, err
}
