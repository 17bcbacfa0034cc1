// Package otlp receives telemetry by OTLP, over gRPC and HTTP, or reads it from a file. It also notices what a collector would
// refuse, and says why.
package otlp

import (
	"fmt"
	"strings"
	"unicode"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Sink takes what arrives. The size of a message is in bytes, decompressed. A Sink must be safe for concurrent use.
type Sink interface {
	Traces(data ptrace.Traces, size int)
	Metrics(data pmetric.Metrics, size int)
	Logs(data plog.Logs, size int)
	Refused(Refusal)
}

// Reason says why something was refused.
type Reason string

// The reasons.
const (
	WrongPath     Reason = "path"
	WrongProtocol Reason = "protocol"
	WrongEncoding Reason = "encoding" // a content type, or a compression
	Malformed     Reason = "malformed"
	TooLarge      Reason = "too large"
)

// Refusal is a request that a collector would refuse, or a line of a file that is not telemetry.
type Refusal struct {
	Reason Reason
	Detail string // what came, and what belongs there
}

// maxDetail is the longest detail in bytes. Details quote what clients send.
const maxDetail = 400

func refuse(reason Reason, format string, arguments ...any) Refusal {
	printable := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, fmt.Sprintf(format, arguments...))
	detail := strings.Join(strings.Fields(printable), " ")
	if len(detail) > maxDetail {
		detail = strings.ToValidUTF8(detail[:maxDetail], "") + "…"
	}
	return Refusal{reason, detail}
}
