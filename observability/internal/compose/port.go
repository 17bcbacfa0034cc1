package compose

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/template"
)

const wantPort = "want one port from 1 to 65535"

// isPort reports whether a text is one port, not a range.
func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return err == nil && port > 0
}

// portChecker checks the values of variables named *_PORT while compose.yaml is read, because the loader's errors do not name variables.
type portChecker struct{ err error }

func (c *portChecker) use(options *loader.Options) {
	if options.Interpolate == nil {
		return // this is not the time
	}
	substitute := options.Interpolate.Substitute
	options.Interpolate.Substitute = func(text string, lookup template.Mapping) (string, error) {
		return substitute(text, func(name string) (string, bool) {
			value, ok := lookup(name)
			if c.err == nil && strings.HasSuffix(name, "_PORT") && value != "" && !isPort(value) {
				c.err = fmt.Errorf("%s=%q: %s", name, value, wantPort)
			}
			return value, ok
		})
	}
}
