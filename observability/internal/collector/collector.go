// Package collector runs the real OpenTelemetry Collector, with the configuration files of the stack, as a
// child process of the program that imports it.
package collector

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/routingconnector"
	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/servicegraphconnector"
	"github.com/open-telemetry/opentelemetry-collector-contrib/connector/spanmetricsconnector"
	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/open-telemetry/opentelemetry-collector-contrib/processor/transformprocessor"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/confmap/provider/yamlprovider"
	"go.opentelemetry.io/collector/connector"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/processor/memorylimiterprocessor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/service/telemetry/otelconftelemetry"

	"example.com/dice/observability/internal/process"
)

// configs is the environment variable that makes a process run as the collector. It lists the configurations, one per line.
const configs = "DICE_LOCAL_COLLECTOR"

// Variable returns the environment variable that makes a child process of this program run as the collector, with
// these configurations. Each is a URI such as file:config.yaml; later ones are merged over earlier ones.
func Variable(uris ...string) string { return configs + "=" + strings.Join(uris, "\n") }

// RunIfChild runs the collector and exits, if this process was started with [Variable] in its environment by
// [process.StartSelf]. It also calls [process.RunIfChild]. Call it first in main: the collector sets globals that it must not
// share with another program.
func RunIfChild() {
	process.RunIfChild()
	uris := os.Getenv(configs)
	if uris == "" {
		return
	}
	if err := run(process.WithParent(context.Background()), strings.Split(uris, "\n")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(ctx context.Context, uris []string) error {
	c, err := otelcol.NewCollector(otelcol.CollectorSettings{
		BuildInfo: component.BuildInfo{Command: "collector", Version: "0.152.0"},
		Factories: factories,
		ConfigProviderSettings: otelcol.ConfigProviderSettings{ResolverSettings: confmap.ResolverSettings{
			URIs: uris,
			ProviderFactories: []confmap.ProviderFactory{
				envprovider.NewFactory(), fileprovider.NewFactory(), yamlprovider.NewFactory(),
			},
		}},
		SkipSettingGRPCLogger: true,
	})
	if err != nil {
		return fmt.Errorf("setting up the collector: %w", err)
	}
	if err := c.Run(ctx); err != nil {
		return fmt.Errorf("running the collector: %w", err)
	}
	return nil
}

// factories returns the components that the configuration files use.
func factories() (otelcol.Factories, error) {
	got := otelcol.Factories{Telemetry: otelconftelemetry.NewFactory()}
	var err error
	if got.Extensions, err = otelcol.MakeFactoryMap[extension.Factory](filestorage.NewFactory()); err != nil {
		return got, err
	}
	if got.Receivers, err = otelcol.MakeFactoryMap[receiver.Factory](otlpreceiver.NewFactory()); err != nil {
		return got, err
	}
	if got.Exporters, err = otelcol.MakeFactoryMap[exporter.Factory](otlphttpexporter.NewFactory()); err != nil {
		return got, err
	}
	if got.Processors, err = otelcol.MakeFactoryMap[processor.Factory](
		memorylimiterprocessor.NewFactory(), transformprocessor.NewFactory()); err != nil {
		return got, err
	}
	got.Connectors, err = otelcol.MakeFactoryMap[connector.Factory](
		routingconnector.NewFactory(), spanmetricsconnector.NewFactory(), servicegraphconnector.NewFactory())
	return got, err
}
