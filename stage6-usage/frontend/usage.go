package main

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/log"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"

	"example.com/dice/shared/telemetry"
)

// usage emits events, which are log records with a name. They record what users do, not how the service runs. They do not
// go through slog, so they are not on the terminal. The attribute usage tells the collector to store them separately; see
// collector.yaml. No other log record contains a user's name.
var usage = otel.Logger("example.com/dice/frontend", log.WithInstrumentationVersion(telemetry.Version()), log.WithSchemaURL(semconv.SchemaURL))

// trackSignIn records that a user has signed in.
func trackSignIn(ctx context.Context, user string) {
	emit(ctx, "dice.sign_in", "signed in", semconv.UserName(user))
}

// trackRun records that a user has pressed Run, and the status of the response. A user can send anything as the die and
// the number of dice, so these are recorded only if the roll service has accepted them.
func trackRun(ctx context.Context, user, die, times string, status int) {
	attributes := []attribute.KeyValue{semconv.UserName(user), semconv.HTTPResponseStatusCode(status)}
	dice, err := strconv.Atoi(times)
	if err == nil && (status == http.StatusOK || status == http.StatusInternalServerError) {
		attributes = append(attributes, attribute.String("die.identifier", die), attribute.Int("dice.batch.size", dice))
	}
	emit(ctx, "dice.run", "ran", attributes...)
}

func emit(ctx context.Context, name, body string, attributes ...attribute.KeyValue) {
	var record log.Record
	record.SetEventName(name)
	record.SetTimestamp(time.Now())
	record.SetSeverity(log.SeverityInfo)
	record.SetSeverityText("INFO")
	record.SetBody(attribute.StringValue(body))
	record.AddAttributes(attributes...)
	record.AddAttributes(
		attribute.Bool("usage", true),
		attribute.String("event", name), // Loki does not store an event's name
	)
	usage.Emit(ctx, record)
}
