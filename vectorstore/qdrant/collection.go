package qdrant

import (
	"context"
	"errors"
	"fmt"
	"strings"

	qc "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc/codes"

	"github.com/api-assistant/api-assistant/vectorstore"
)

// The names of the vectors.
const (
	dense  = "dense"
	sparse = "bm25"
)

// What the collection's own metadata say.
const (
	metaEmbedder = "embedder"
	metaAnalyzer = "analyzer"
)

// indexes are the payload fields that filters ask for; all hold keywords.
var indexes = []string{keyTerms, keySource, keyState, keyBatch}

// ensure makes the collection and its indexes where they are missing, and
// checks that it is one of ours. Replicas that race do the same thing twice,
// which is allowed.
func (s *Store) ensure(ctx context.Context) error {
	info, err := s.info(ctx)
	if isCode(err, codes.NotFound) {
		if err := s.create(ctx); err != nil {
			return err
		}
		info, err = s.info(ctx)
	}
	if err != nil {
		return err
	}
	if err := s.check(info.GetConfig()); err != nil {
		return err
	}
	for _, field := range indexes {
		if _, ok := info.GetPayloadSchema()[field]; ok {
			continue
		}
		err := s.call(ctx, "creating the index of "+field, func(ctx context.Context) error {
			_, err := s.client.Points().CreateFieldIndex(ctx, &qc.CreateFieldIndexCollection{
				CollectionName: s.cfg.Collection, FieldName: field, FieldType: qc.FieldType_FieldTypeKeyword.Enum(), Wait: qc.PtrOf(true)})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) info(ctx context.Context) (info *qc.CollectionInfo, err error) {
	err = s.call(ctx, "opening", func(ctx context.Context) error {
		r, err := s.client.Collections().Get(ctx, &qc.GetCollectionInfoRequest{CollectionName: s.cfg.Collection})
		info = r.GetResult()
		return err
	})
	return info, err
}

// create makes the collection. That another replica was faster is no error.
func (s *Store) create(ctx context.Context) error {
	if s.dimensions == 0 {
		return fmt.Errorf("%w: there is no collection %q yet; set Config.Dimensions, so that it can be made", vectorstore.ErrInvalid, s.cfg.Collection)
	}
	request := &qc.CreateCollection{
		CollectionName: s.cfg.Collection,
		VectorsConfig: qc.NewVectorsConfigMap(map[string]*qc.VectorParams{
			dense: {Size: uint64(s.dimensions), Distance: qc.Distance_Cosine}}),
		SparseVectorsConfig: qc.NewSparseVectorsConfig(map[string]*qc.SparseVectorParams{
			sparse: {Modifier: qc.Modifier_Idf.Enum()}}),
		Metadata: map[string]*qc.Value{metaAnalyzer: qc.NewValueString(s.cfg.Analyzer.Name())},
	}
	if s.cfg.Embedder != "" {
		request.Metadata[metaEmbedder] = qc.NewValueString(s.cfg.Embedder)
	}
	if s.cfg.Adjust != nil {
		s.cfg.Adjust(request)
	}
	err := s.call(ctx, "creating", func(ctx context.Context) error {
		_, err := s.client.Collections().Create(ctx, request)
		return err
	})
	var e *Error
	if errors.As(err, &e) && (e.Code == codes.AlreadyExists || strings.Contains(e.Message, "already exists")) {
		return nil
	}
	s.created = err == nil
	return err
}

// check compares the collection with the configuration.
func (s *Store) check(c *qc.CollectionConfig) error {
	const do = "give it another name, or use the old embedder"
	vectors, ok := c.GetParams().GetVectorsConfig().GetParamsMap().GetMap()[dense]
	words, hasWords := c.GetParams().GetSparseVectorsConfig().GetMap()[sparse]
	if !ok || !hasWords || words.GetModifier() != qc.Modifier_Idf || vectors.GetDistance() != qc.Distance_Cosine {
		return fmt.Errorf("%w: the collection %q was not made by this package: it wants a vector %q with cosine distance and a sparse vector %q with the IDF modifier; give the store another name",
			vectorstore.ErrEmbedder, s.cfg.Collection, dense, sparse)
	}
	made := c.GetMetadata()[metaEmbedder].GetStringValue()
	if s.cfg.Embedder != "" && made != "" && made != s.cfg.Embedder {
		return fmt.Errorf("%w: the collection %q was made with %q (%d dimensions), not with %q; %s",
			vectorstore.ErrEmbedder, s.cfg.Collection, made, vectors.GetSize(), s.cfg.Embedder, do)
	}
	if s.dimensions != 0 && uint64(s.dimensions) != vectors.GetSize() {
		return fmt.Errorf("%w: the collection %q holds vectors of %d dimensions (%s), not of %d; %s",
			vectorstore.ErrEmbedder, s.cfg.Collection, vectors.GetSize(), made, s.dimensions, do)
	}
	s.dimensions = int(vectors.GetSize())
	if a := c.GetMetadata()[metaAnalyzer].GetStringValue(); a != "" && a != s.cfg.Analyzer.Name() {
		return fmt.Errorf("%w: the words of the collection %q were made by the analyser %q, not by %q; give it another name, or use the old analyser",
			vectorstore.ErrEmbedder, s.cfg.Collection, a, s.cfg.Analyzer.Name())
	}
	return nil
}

func isCode(err error, code codes.Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}
