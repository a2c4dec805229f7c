package qdranttest

import (
	"context"
	"maps"
	"slices"

	qc "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// collection is a set of points. Server.mu guards it.
type collection struct {
	params   *qc.CollectionParams
	metadata map[string]*qc.Value
	dense    map[string]*qc.VectorParams
	sparse   map[string]*qc.SparseVectorParams
	schema   map[string]*qc.PayloadSchemaInfo
	points   map[string]*point
	sorted   []*point // by id; nil: to be made
	stats    map[string]*statistics
	queue    []func() // writes with wait=false that are not applied yet
}

// statistics are those of a sparse vector, for its idf.
type statistics struct {
	points int            // that have the vector
	df     map[uint32]int // how many of them have the index
}

type collections struct {
	qc.UnimplementedCollectionsServer
	*Server
}

// find returns a collection by its name or an alias.
func (s *Server) find(name string) (*collection, error) {
	if target, ok := s.aliases[name]; ok {
		name = target
	}
	if c, ok := s.collections[name]; ok {
		return c, nil
	}
	return nil, status.Errorf(codes.NotFound, "Not found: Collection `%s` doesn't exist!", name)
}

func (s collections) Create(_ context.Context, r *qc.CreateCollection) (*qc.CollectionOperationResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := r.GetCollectionName()
	switch {
	case name == "":
		return nil, status.Error(codes.InvalidArgument, "Validation error in body: [collection_name: must not be empty]")
	case s.collections[name] != nil:
		return nil, status.Errorf(codes.AlreadyExists, "Wrong input: Collection `%s` already exists!", name)
	case s.aliases[name] != "":
		return nil, wrong("Can't create collection with name %s. Alias with the same name already exists", name)
	}
	c := &collection{
		params: &qc.CollectionParams{ShardNumber: 1, VectorsConfig: r.GetVectorsConfig(), SparseVectorsConfig: r.GetSparseVectorsConfig(),
			OnDiskPayload: r.GetOnDiskPayload(), ReplicationFactor: r.ReplicationFactor},
		metadata: r.GetMetadata(), dense: make(map[string]*qc.VectorParams), sparse: r.GetSparseVectorsConfig().GetMap(),
		schema: make(map[string]*qc.PayloadSchemaInfo), points: make(map[string]*point), stats: make(map[string]*statistics),
	}
	if r.ShardNumber != nil {
		c.params.ShardNumber = r.GetShardNumber()
	}
	if single := r.GetVectorsConfig().GetParams(); single != nil {
		c.dense[""] = single
	}
	maps.Copy(c.dense, r.GetVectorsConfig().GetParamsMap().GetMap())
	for name, p := range c.dense {
		if d := p.GetDistance(); d != qc.Distance_Cosine && d != qc.Distance_Dot {
			return nil, unimplemented("the distance of vector " + name)
		}
	}
	for name := range c.sparse {
		c.stats[name] = &statistics{df: make(map[uint32]int)}
	}
	s.collections[name] = c
	return &qc.CollectionOperationResponse{Result: true}, nil
}

func (s collections) Get(_ context.Context, r *qc.GetCollectionInfoRequest) (*qc.GetCollectionInfoResponse, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c, err := s.find(r.GetCollectionName())
	if err != nil {
		return nil, err
	}
	return &qc.GetCollectionInfoResponse{Result: &qc.CollectionInfo{
		Status: qc.CollectionStatus_Green, OptimizerStatus: &qc.OptimizerStatus{Ok: true}, SegmentsCount: 1,
		PointsCount: qc.PtrOf(uint64(len(c.points))), PayloadSchema: maps.Clone(c.schema),
		Config: &qc.CollectionConfig{Params: c.params, Metadata: c.metadata},
	}}, nil
}

func (s collections) CollectionExists(_ context.Context, r *qc.CollectionExistsRequest) (*qc.CollectionExistsResponse, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, err := s.find(r.GetCollectionName())
	return &qc.CollectionExistsResponse{Result: &qc.CollectionExists{Exists: err == nil}}, nil
}

func (s collections) List(context.Context, *qc.ListCollectionsRequest) (*qc.ListCollectionsResponse, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := &qc.ListCollectionsResponse{}
	for _, name := range slices.Sorted(maps.Keys(s.collections)) {
		out.Collections = append(out.Collections, &qc.CollectionDescription{Name: name})
	}
	return out, nil
}

func (s collections) Delete(_ context.Context, r *qc.DeleteCollection) (*qc.CollectionOperationResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := r.GetCollectionName()
	_, there := s.collections[name]
	delete(s.collections, name)
	maps.DeleteFunc(s.aliases, func(_, target string) bool { return target == name })
	return &qc.CollectionOperationResponse{Result: there}, nil
}

// UpdateAliases makes all changes or none.
func (s collections) UpdateAliases(_ context.Context, r *qc.ChangeAliases) (*qc.CollectionOperationResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := maps.Clone(s.aliases)
	for _, a := range r.GetActions() {
		switch a := a.GetAction().(type) {
		case *qc.AliasOperations_CreateAlias:
			name, target := a.CreateAlias.GetAliasName(), a.CreateAlias.GetCollectionName()
			if s.collections[name] != nil {
				return nil, status.Errorf(codes.AlreadyExists, "Wrong input: Collection `%s` already exists!", name)
			}
			if s.collections[target] == nil {
				return nil, status.Errorf(codes.NotFound, "Not found: Collection `%s` doesn't exist!", target)
			}
			changed[name] = target
		case *qc.AliasOperations_RenameAlias:
			old := a.RenameAlias.GetOldAliasName()
			target, ok := changed[old]
			if !ok {
				return nil, status.Errorf(codes.NotFound, "Not found: Alias %s does not exists!", old)
			}
			delete(changed, old)
			changed[a.RenameAlias.GetNewAliasName()] = target
		case *qc.AliasOperations_DeleteAlias:
			delete(changed, a.DeleteAlias.GetAliasName())
		}
	}
	s.aliases = changed
	return &qc.CollectionOperationResponse{Result: true}, nil
}

func (s collections) ListAliases(context.Context, *qc.ListAliasesRequest) (*qc.ListAliasesResponse, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := &qc.ListAliasesResponse{}
	for _, name := range slices.Sorted(maps.Keys(s.aliases)) {
		out.Aliases = append(out.Aliases, &qc.AliasDescription{AliasName: name, CollectionName: s.aliases[name]})
	}
	return out, nil
}
