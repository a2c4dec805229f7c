// Package qdranttest is a Qdrant server for tests: an ordinary gRPC server, in
// this process, with the part of Qdrant's interface that a document store needs.
//
//	server, err := qdranttest.Start(qdranttest.Options{})
//	if err != nil { … }
//	defer server.Close()
//	store, err := qdrant.Open(ctx, qdrant.Config{URL: server.URL(), Dimensions: 384})
//
// It reproduces what clients rely on: exact nearest neighbours by cosine and
// dot product, sparse vectors with the IDF modifier, prefetches that inherit the
// filter, fusion (RRF with its k of 2 unless set, weighted RRF, DBSF), filters on
// payloads with JSON paths, scrolling in the order of ids, conditional upserts,
// aliases, wait=false that is not visible yet, and the codes and messages of
// errors. Its answers are held against those that the real engine gave to the
// same requests (testdata/golden.json).
//
// What it does not do says so with codes.Unimplemented. It cannot show what
// comes from size and distribution: approximation, optimisers, shards. Fault
// injection is Options.Interceptor.
package qdranttest

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"time"

	qc "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Options say how a server is reached. The zero value is one without key and
// TLS.
type Options struct {
	// APIKey is wanted of every request; empty: none.
	APIKey string
	// TLS makes the server speak TLS with this configuration.
	TLS *tls.Config
	// Interceptor sees every request that passed the key check, and may refuse,
	// delay or change it, or its answer.
	Interceptor grpc.UnaryServerInterceptor
}

// Server is a running server. It is safe for concurrent use.
type Server struct {
	grpc    *grpc.Server
	url     string
	stopped chan struct{}

	mu          sync.RWMutex // guards the rest
	collections map[string]*collection
	aliases     map[string]string // to the names of collections
}

// Start starts a server on a free port of this machine. The caller closes it.
func Start(o Options) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{collections: make(map[string]*collection), aliases: make(map[string]string), stopped: make(chan struct{})}
	chain := []grpc.UnaryServerInterceptor{keyCheck(o.APIKey)}
	if o.Interceptor != nil {
		chain = append(chain, o.Interceptor)
	}
	opts := []grpc.ServerOption{
		grpc.ChainUnaryInterceptor(chain...), grpc.MaxRecvMsgSize(256 << 20), grpc.MaxSendMsgSize(1 << 30),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: time.Second, PermitWithoutStream: true}),
	}
	scheme := "http"
	if o.TLS != nil {
		opts, scheme = append(opts, grpc.Creds(credentials.NewTLS(o.TLS))), "https"
	}
	s.url = scheme + "://" + listener.Addr().String()
	s.grpc = grpc.NewServer(opts...)
	qc.RegisterQdrantServer(s.grpc, health{})
	qc.RegisterCollectionsServer(s.grpc, collections{Server: s})
	qc.RegisterPointsServer(s.grpc, points{Server: s})
	go func() {
		defer close(s.stopped)
		s.grpc.Serve(listener) // ends with Close
	}()
	return s, nil
}

// URL is the address for qdrant.Config.URL.
func (s *Server) URL() string { return s.url }

// Close ends the server; requests under way are cut off. What it held is gone.
func (s *Server) Close() {
	s.grpc.Stop()
	<-s.stopped
}

// Settle makes visible what was written with wait=false.
func (s *Server) Settle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.collections {
		c.settle()
	}
}

// keyCheck refuses requests without the key, with Qdrant's words.
func keyCheck(key string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		if key == "" {
			return handle(ctx, req)
		}
		md, _ := metadata.FromIncomingContext(ctx)
		given := md.Get("api-key")
		for _, v := range md.Get("authorization") {
			given = append(given, strings.TrimPrefix(v, "Bearer "))
		}
		switch {
		case len(given) == 0:
			return nil, status.Error(codes.Unauthenticated, "Must provide an API key or an Authorization bearer token")
		case subtle.ConstantTimeCompare([]byte(given[0]), []byte(key)) != 1:
			return nil, status.Error(codes.Unauthenticated, "Invalid API key or JWT")
		}
		return handle(ctx, req)
	}
}

type health struct{ qc.UnimplementedQdrantServer }

func (health) HealthCheck(context.Context, *qc.HealthCheckRequest) (*qc.HealthCheckReply, error) {
	return &qc.HealthCheckReply{Title: "qdrant - vector search engine", Version: "1.17.1"}, nil
}

// wrong is the error of a request that cannot be carried out.
func wrong(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, "Wrong input: "+format, args...)
}

func unimplemented(what string) error {
	return status.Errorf(codes.Unimplemented, "qdranttest does not implement %s", what)
}
