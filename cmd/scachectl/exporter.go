package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"scache/scached/exporter"
)

func newMetrics() *cobra.Command {
	var f cacheFlags
	c := &cobra.Command{
		Use:   "metrics",
		Short: "write the counters of the connection cache once, for Prometheus",
		Long: `Metrics asks a running scached once and writes its counters in the text format of
Prometheus, as the textfile collector of node_exporter reads it.`,
		Args: cobra.NoArgs,
		RunE: untilInterrupted(func(c *cobra.Command, _ []string) error {
			client, err := f.client()
			if err != nil {
				return err
			}
			return exporter.Write(c.Context(), c.OutOrStdout(), client)
		}),
	}
	f.add(c)
	return c
}

func newExporter() *cobra.Command {
	var f cacheFlags
	var o exporter.Options
	c := &cobra.Command{
		Use:   "exporter",
		Short: "answer scrapes of Prometheus with the counters of the connection cache",
		Long: `Exporter asks a running scached for its counters whenever it is scraped, and
leaves. The flags that begin with web are those of all exporters. Where systemd
starts it, as scached-exporter.service, its flags come from ARGS in
/etc/default/scached-exporter.`,
		Args: cobra.NoArgs,
		RunE: untilInterrupted(func(c *cobra.Command, _ []string) error {
			client, err := f.client()
			if err != nil {
				return err
			}
			o.Log = slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
			return exporter.Serve(c.Context(), client, o)
		}),
	}
	f.add(c)
	flags := c.Flags()
	flags.StringArrayVar(&o.Addresses, "web.listen-address", []string{"127.0.0.1:9797"}, "`address` to listen at; may come several times")
	flags.BoolVar(&o.Systemd, "web.systemd-socket", false, "use the sockets that systemd passes on")
	flags.StringVar(&o.ConfigFile, "web.config.file", "", "`file` that sets TLS and users, see the exporter toolkit")
	flags.StringVar(&o.Path, "web.telemetry-path", "/metrics", "`path` of the metrics")
	return c
}
