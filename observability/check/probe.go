package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"example.com/dice/observability/internal/checklist"
	"example.com/dice/observability/internal/compose"
	"example.com/dice/observability/internal/recorder"
)

// tap makes all requests between the services go through the recorder: it replaces the URLs of services in the variables of the others.
func tap(ctx context.Context, recorder *recorder.Recorder, stage *compose.Stage) error {
	for i, client := range stage.Services {
		for _, server := range stage.Services {
			direct := "//localhost:" + server.Port.Number
			for j, variable := range client.Environment {
				if server.Port.Number == "" || !strings.Contains(variable, direct) {
					continue
				}
				address, err := recorder.Listen(ctx, client.Name, server.Name, server.Port.Address())
				if err != nil {
					return err
				}
				_, port, _ := strings.Cut(address, ":")
				stage.Services[i].Environment[j] = strings.Replace(variable, direct, "//localhost:"+port, 1)
			}
		}
	}
	return nil
}

const (
	probeTimeout = 20 * time.Second // of all probes together
	mostRepeats  = 200
)

// probe sends requests to a service through the recorder, one after the other, each with a trace of its own.
func probe(ctx context.Context, recorder *recorder.Recorder, service compose.Service, probes []checklist.Probe) error {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	address, err := recorder.Listen(ctx, checklist.Prober, service.Name, service.Port.Address())
	if err != nil {
		return err
	}
	for _, p := range probes {
		for range mostRepeats {
			status, err := get(ctx, "http://"+address+p.Path)
			if err != nil {
				return err
			}
			if !p.Repeat || status != http.StatusOK {
				break
			}
		}
	}
	return nil
}

// get sends a request and returns the status of the response, or 0 if there is none. The recorder knows why.
func get(ctx context.Context, url string) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	var id [24]byte
	_, _ = rand.Read(id[:]) // never fails
	request.Header.Set("traceparent", fmt.Sprintf("00-%x-%x-01", id[:16], id[16:]))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
	return response.StatusCode, nil
}
