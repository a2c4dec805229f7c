package main

import (
	"context"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/api-assistant/api-assistant/httpapi"
	"github.com/api-assistant/api-assistant/retriever"
)

// metrics are what GET /metrics shows. Labels have few values, none of which a
// caller can invent.
type metrics struct {
	registry                               *prometheus.Registry
	requests, searches, answers, endpoints *prometheus.CounterVec
	duration                               *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "http_requests_total",
			Help: "Requests answered; without a route those refused before one."}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "http_request_duration_seconds",
			Help:    "How long requests took, streams to their end.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}, []string{"route"}),
		searches: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assistant_searches_total",
			Help: "Searches answered."}, []string{"mode", "degraded"}),
		answers: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assistant_answers_total",
			Help: "Questions answered."}, []string{"grounded"}),
		endpoints: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "assistant_endpoints_total",
			Help: "Endpoints in answers, by what the catalogue says of them."}, []string{"status"}),
	}
	m.registry.MustRegister(m.requests, m.duration, m.searches, m.answers, m.endpoints, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Request implements httpapi.Observer.
func (m *metrics) Request(e httpapi.RequestEvent) {
	m.requests.WithLabelValues(e.Route, e.Method, strconv.Itoa(e.Status)).Inc()
	m.duration.WithLabelValues(e.Route).Observe(e.Duration.Seconds())
}

// Search implements httpapi.Observer.
func (m *metrics) Search(e httpapi.SearchEvent) {
	m.searches.WithLabelValues(e.Mode, strconv.FormatBool(e.Degraded)).Inc()
}

// Answer implements httpapi.Observer.
func (m *metrics) Answer(e httpapi.AnswerEvent) {
	m.answers.WithLabelValues(strconv.FormatBool(e.Grounded)).Inc()
	for status, n := range e.Endpoints {
		m.endpoints.WithLabelValues(string(status)).Add(float64(n))
	}
}

// watch adds gauges of a corpus, read when they are asked for.
func (m *metrics) watch(corpus *retriever.Corpus) {
	gauge := func(name, help string, read func(context.Context) (int, error)) {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			n, err := read(context.Background())
			if err != nil {
				return -1
			}
			return float64(n)
		}))
	}
	gauge("assistant_documents", "Documents stored; -1 if the store cannot be read.", func(ctx context.Context) (int, error) { return corpus.Count(ctx, nil) })
	gauge("assistant_pending_embeddings", "Documents that wait for their vector; -1 if the store cannot be read.", corpus.Pending)
}

// handler serves the metrics.
func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}
