// Renders the template of deploy/helm with Go's own templates and sprig's functions, which Helm is made of, for machines that have
// these and no Helm. On standard input, as JSON: what a template sees. Usage: render TEMPLATE
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"text/template"

	"github.com/Masterminds/sprig"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "render:", err)
		os.Exit(1)
	}
}

// JSON is YAML, and a line of it stands wherever a template may indent it to.
func toYaml(value interface{}) (string, error) {
	text, err := json.Marshal(value)
	return string(text), err
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	must(err)
	var seen map[string]interface{}
	must(json.NewDecoder(os.Stdin).Decode(&seen))
	functions := sprig.TxtFuncMap()
	functions["toYaml"] = toYaml
	page, err := template.New("chart").Funcs(functions).Option("missingkey=error").Parse(string(text))
	must(err)
	must(page.Execute(os.Stdout, seen))
}
