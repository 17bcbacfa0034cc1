package otlp

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
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

const (
	mostDescribed = 1000   // lines that are not telemetry; the others are counted
	hopeless      = 10_000 // lines of something else, before any telemetry
)

// Read reads what the collector's file exporter writes: one OTLP message as JSON a line. It also reads a message that is indented. The file
// may be compressed by gzip. Lines that are not telemetry are passed to the sink as refused, except for a last line that is incomplete: the
// file is still being written. Read returns an error if there is no telemetry, but something else.
func Read(file io.Reader, sink Sink) error {
	reader, err := decompress(file)
	if err != nil {
		return err
	}
	in := input{sink: sink}
	for {
		line, tooLong, err := readLine(reader)
		in.lines++
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && in.taken > 0
		switch {
		case err != nil && !ended:
			return fmt.Errorf("reading line %d: %w", in.lines, err)
		case tooLong:
			in.refuse(TooLarge, fmt.Errorf("is longer than %d bytes", maxLine))
		case in.taken+in.refused == 0 && isIndented(line):
			return in.document(io.MultiReader(bytes.NewReader(line), reader))
		default:
			in.line(line, ended)
		}
		switch {
		case in.taken == 0 && (in.refused >= hopeless || ended && in.refused > 0):
			return ErrFormat
		case ended:
			return nil
		}
	}
}

// decompress returns the content of a file.
func decompress(file io.Reader) (*bufio.Reader, error) {
	reader := bufio.NewReaderSize(file, 1<<20)
	magic, _ := reader.Peek(4) // a shorter file is compared all the same
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}): // RFC 1952, section 2.3.1
		unzipped, err := gzip.NewReader(reader)
		if err != nil {
			return nil, fmt.Errorf("decompressing: %w", err)
		}
		return bufio.NewReaderSize(unzipped, 1<<20), nil
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}): // RFC 8878, section 3.1.1
		return nil, errors.New("the file is compressed by zstd: decompress it first, for example with zstd --decompress")
	}
	return reader, nil
}

// input counts what a file has.
type input struct {
	sink                  Sink
	lines, taken, refused int
}

// line reads a line, which may be the last one.
func (in *input) line(line []byte, last bool) {
	if line = bytes.TrimSpace(line); len(line) == 0 {
		return
	}
	problem := readMessage(line, in.sink)
	switch {
	case problem == nil:
		in.taken++
	case !last || in.taken == 0 || signalOf(line) == "" || json.Valid(line):
		in.refuse(Malformed, fmt.Errorf("is not an OTLP message as JSON: %w", problem))
	}
}

func (in *input) refuse(reason Reason, problem error) {
	in.refused++
	if in.refused > mostDescribed {
		in.sink.Refused(Refusal{reason, "more lines"})
		return
	}
	in.sink.Refused(refuse(reason, "line %d %v", in.lines, problem))
}

// isIndented reports whether a line is the first one of an indented message.
func isIndented(line []byte) bool {
	line = bytes.TrimSpace(line)
	return bytes.HasPrefix(line, []byte("{")) && bytes.ContainsAny(line[len(line)-1:], "{[")
}

// document reads indented messages, each of the length of a line at most.
func (in *input) document(file io.Reader) error {
	limited := &io.LimitedReader{R: file}
	decoder := json.NewDecoder(limited)
	for {
		limited.N = maxLine
		var message json.RawMessage
		err := decoder.Decode(&message)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = readMessage(message, in.sink)
		}
		switch {
		case err == nil:
			in.taken++
		case in.taken == 0:
			return fmt.Errorf("%w: %w", ErrFormat, err)
		default:
			return fmt.Errorf("reading message %d: %w", in.taken+1, err)
		}
	}
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
