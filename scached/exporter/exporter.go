// Package exporter shows the counters of a connection cache to Prometheus, as text
// ([Write]) and over HTTP ([Serve]). Every scrape asks the daemon once and leaves.
// Metrics hold no destination, no address and no sender: the names of transports are
// the only words in them that come from mail.
package exporter

import (
	"context"
	"io"
	"log/slog"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/exporter-toolkit/web"

	"scache/scached/control"
)

// prefix is that of all names.
const prefix = "scached_"

// A collector asks for a status each time that it is collected.
type collector struct {
	ask func() (*control.Status, error)
}

// newRegistry returns what collects from one server.
func newRegistry(ask func() (*control.Status, error)) *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collector{ask})
	return r
}

// Describe tells nothing: which labels there are is the server's to say.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements [prometheus.Collector].
func (c collector) Collect(out chan<- prometheus.Metric) {
	up := prometheus.NewDesc(prefix+"up", "Whether the connection cache answered.", nil, nil)
	s, err := c.ask()
	if err != nil {
		out <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, 0)
		out <- prometheus.NewInvalidMetric(up, err)
		return
	}
	out <- prometheus.MustNewConstMetric(up, prometheus.GaugeValue, 1)
	info := prometheus.NewDesc(prefix+"build_info", "The version and the dialect that it speaks.", nil,
		prometheus.Labels{"version": s.Version, "dialect": s.Dialect})
	out <- prometheus.MustNewConstMetric(info, prometheus.GaugeValue, 1)
	histograms := map[string]*histogram{}
	for _, m := range s.Metrics {
		if f, ok := families[m.Name]; ok {
			desc := prometheus.NewDesc(prefix+m.Name, f.help, nil, m.Labels)
			out <- prometheus.MustNewConstMetric(desc, f.kind, float64(m.Value))
		}
		add(histograms, m)
	}
	for end, h := range histograms {
		desc := prometheus.NewDesc(prefix+ages, agesHelp, nil, prometheus.Labels{"end": end})
		out <- prometheus.MustNewConstHistogram(desc, h.count, h.sum, h.buckets)
	}
}

type histogram struct {
	count   uint64
	sum     float64
	buckets map[float64]uint64
}

// add takes a number that belongs to a histogram.
func add(histograms map[string]*histogram, m control.Metric) {
	names := []string{ages + "_bucket", ages + "_count", ages + "_sum"}
	part := slices.Index(names, m.Name)
	if part < 0 {
		return
	}
	h := histograms[m.Labels["end"]]
	if h == nil {
		h = &histogram{buckets: map[float64]uint64{}}
		histograms[m.Labels["end"]] = h
	}
	switch part {
	case 0:
		if bound, err := strconv.ParseFloat(m.Labels["le"], 64); err == nil && !math.IsInf(bound, 1) {
			h.buckets[bound] = m.Value
		}
	case 1:
		h.count = m.Value
	case 2:
		h.sum = float64(m.Value)
	}
}

// Write writes the metrics once, in the text format.
func Write(ctx context.Context, w io.Writer, c *control.Client) error {
	s, err := c.Status(ctx)
	if err != nil {
		return err
	}
	list, err := newRegistry(func() (*control.Status, error) { return s, nil }).Gather()
	if err != nil {
		return err
	}
	encoder := expfmt.NewEncoder(w, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, f := range list {
		if err := encoder.Encode(f); err != nil {
			return err
		}
	}
	return nil
}

// Options are those of Serve, as users of exporters know them.
type Options struct {
	Addresses  []string // where to listen
	Systemd    bool     // use the sockets that systemd passes on
	ConfigFile string   // of exporter-toolkit: TLS, users
	Path       string   // of the metrics
	Log        *slog.Logger
}

// Serve answers scrapes until the context is done.
func Serve(ctx context.Context, c *control.Client, o Options) error {
	mux := http.NewServeMux()
	registry := newRegistry(func() (*control.Status, error) {
		s, err := c.Status(ctx)
		if err != nil {
			o.Log.Warn("no answer", "err", err)
		}
		return s, err
	})
	// A server that does not answer is told of by scached_up.
	mux.Handle(o.Path, promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	landing, err := web.NewLandingPage(web.LandingConfig{Name: "scached exporter", Description: "A connection cache of Postfix",
		Links: []web.LandingLinks{{Address: o.Path, Text: "Metrics"}}})
	if err != nil {
		return err
	}
	if o.Path != "/" {
		mux.Handle("/", landing)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { server.Close() })
	err = web.ListenAndServe(server, &web.FlagConfig{
		WebListenAddresses: &o.Addresses, WebSystemdSocket: &o.Systemd, WebConfigFile: &o.ConfigFile,
	}, o.Log)
	if ctx.Err() != nil {
		return nil
	}
	return err
}
