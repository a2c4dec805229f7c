package qdrant

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	qc "github.com/qdrant/go-client/qdrant"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/api-assistant/api-assistant/vectorstore"
)

const (
	grpcPort = 6334
	restPort = 6333
	// maxAnswer bounds one answer of the server in bytes. Pages are far smaller
	// unless single documents are large.
	maxAnswer = 256 << 20
)

// address is where a URL points.
type address struct {
	host   string
	port   int
	secure bool
}

func (a address) String() string { return net.JoinHostPort(a.host, strconv.Itoa(a.port)) }

// parseURL reads Config.URL. Its errors do not quote it: people put keys into
// URLs.
func parseURL(raw string) (address, error) {
	invalid := func(why string) (address, error) {
		return address{}, fmt.Errorf("%w: Config.URL %s; write http://host:6334, or https://host:6334 for TLS", vectorstore.ErrInvalid, why)
	}
	if !strings.Contains(raw, "://") {
		raw = "http://" + raw
	}
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return invalid("is no URL")
	case u.User != nil:
		return invalid("contains a user or a password, use Config.APIKey")
	case u.Hostname() == "":
		return invalid("has no host")
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "":
		return invalid("has a path or a query, which gRPC does not know")
	}
	a := address{host: u.Hostname(), port: grpcPort}
	if p := u.Port(); p != "" {
		if a.port, err = strconv.Atoi(p); err != nil || a.port < 1 || a.port > 65535 {
			return invalid("has a port that is no number from 1 to 65535")
		}
	}
	switch u.Scheme {
	case "http", "https":
		if a.port == restPort {
			a.port = grpcPort
		}
	case "grpc", "grpcs":
	default:
		return invalid("has an unknown scheme")
	}
	a.secure = strings.HasSuffix(u.Scheme, "s")
	return a, nil
}

// dial makes the client. Nothing is sent yet.
func dial(cfg Config) (*qc.GrpcClient, error) {
	a, err := parseURL(cfg.URL)
	if err != nil {
		return nil, err
	}
	host := a.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]" // go-client joins host and port by a colon
	}
	opts := []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer))}
	if cfg.APIKey != "" {
		// Not by go-client's option, which warns through the global logger.
		opts = append(opts, grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, o ...grpc.CallOption) error {
			return invoke(metadata.AppendToOutgoingContext(ctx, "api-key", cfg.APIKey), method, req, reply, cc, o...)
		}))
		if ip := net.ParseIP(a.host); !a.secure && a.host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			cfg.Logger.Warn("the Qdrant API key is sent without TLS; use https unless the network is private", "host", a.host)
		}
	}
	tlsConfig := cfg.TLS
	if a.secure && tlsConfig == nil {
		tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	client, err := qc.NewGrpcClient(&qc.Config{Host: host, Port: a.port, UseTLS: a.secure, TLSConfig: tlsConfig,
		SkipCompatibilityCheck: true, GrpcOptions: opts})
	if err != nil {
		return nil, fmt.Errorf("%w: Config.URL: %w", vectorstore.ErrInvalid, err)
	}
	return client, nil
}
