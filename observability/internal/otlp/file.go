package otlp

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// maxLine is the longest line of a file in bytes.
const maxLine = 64 << 20

// ErrFormat means that a file has no line of telemetry.
var ErrFormat = errors.New("no line is telemetry as the collector's file exporter writes it: JSON that begins with resourceSpans, " +
	"resourceMetrics or resourceLogs")

// Read reads what the collector's file exporter writes: one OTLP message as JSON a line. The file may be compressed by gzip.
// Lines that are not telemetry are passed to the sink as refused. It returns an error if there is no other line.
func Read(file io.Reader, sink Sink) error {
	reader := bufio.NewReaderSize(file, 1<<20)
	magic, _ := reader.Peek(4) // a shorter file is compared all the same
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}): // RFC 1952, section 2.3.1
		unzipped, err := gzip.NewReader(reader)
		if err != nil {
			return fmt.Errorf("decompressing: %w", err)
		}
		reader = bufio.NewReaderSize(unzipped, 1<<20)
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878, section 3.1.1
		return errors.New("the file is compressed by zstd: decompress it first, for example with zstd --decompress")
	}
	taken, refused := 0, 0
	for number := 1; ; number++ {
		line, tooLong, err := readLine(reader)
		switch {
		case tooLong:
			refused++
			sink.Refused(refuse(TooLarge, "line %d is longer than %d bytes", number, maxLine))
		case len(bytes.TrimSpace(line)) > 0:
			if problem := readMessage(line, sink); problem != nil {
				refused++
				sink.Refused(refuse(Malformed, "line %d is not an OTLP message as JSON: %v", number, problem))
			} else {
				taken++
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading line %d: %w", number, err)
		}
	}
	if taken == 0 && refused > 0 {
		return ErrFormat
	}
	return nil
}

// readLine reads a line. It skips one that is too long.
func readLine(reader *bufio.Reader) (line []byte, tooLong bool, err error) {
	for {
		part, err := reader.ReadSlice('\n')
		if !tooLong {
			line = append(line, part...)
		}
		if len(line) > maxLine {
			line, tooLong = nil, true
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, tooLong, err
		}
	}
}

// readMessage decodes a message, whose first key says which signal it has.
func readMessage(line []byte, sink Sink) error {
	switch kind := signalOf(line); kind {
	case "Spans":
		request := ptraceotlp.NewExportRequest()
		if err := unmarshal(request, line, true); err != nil {
			return err
		}
		sink.Traces(request.Traces(), len(line))
	case "Metrics":
		request := pmetricotlp.NewExportRequest()
		if err := unmarshal(request, line, true); err != nil {
			return err
		}
		sink.Metrics(request.Metrics(), len(line))
	case "Logs":
		request := plogotlp.NewExportRequest()
		if err := unmarshal(request, line, true); err != nil {
			return err
		}
		sink.Logs(request.Logs(), len(line))
	default:
		return errors.New("it does not begin with resourceSpans, resourceMetrics or resourceLogs")
	}
	return nil
}

// signalOf returns Spans, Metrics or Logs, or "" if the line begins with something else.
func signalOf(line []byte) string {
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("{"))
	if !ok {
		return ""
	}
	for _, kind := range []string{"Spans", "Metrics", "Logs"} {
		if bytes.HasPrefix(bytes.TrimSpace(rest), []byte(`"resource`+kind+`"`)) {
			return kind
		}
	}
	return ""
}
