package main

import (
	"encoding/json"
	"io"
	"path/filepath"
	"strings"
)

// writeSARIF prints the endpoints that do not exist in SARIF 2.1.0, which code
// hosting sites show beside the lines.
func writeSARIF(w io.Writer, name, text string, found []finding) error {
	type object = map[string]any
	results := []object{}
	for _, f := range found {
		if !f.wrong() {
			continue
		}
		line := 1 + strings.Count(text[:max(strings.Index(text, f.Mention), 0)], "\n")
		results = append(results, object{
			"ruleId": f.Status, "level": "error", "message": object{"text": f.message()},
			"locations": []object{{"physicalLocation": object{
				"artifactLocation": object{"uri": filepath.ToSlash(name)},
				"region":           object{"startLine": line},
			}}},
		})
	}
	return json.NewEncoder(w).Encode(object{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []object{{
			"tool": object{"driver": object{"name": "api-assistant", "version": version, "rules": []object{
				{"id": "unknown_path", "shortDescription": object{"text": "No operation has this path"}},
				{"id": "wrong_method", "shortDescription": object{"text": "The path exists, not with this method"}},
			}}},
			"results": results,
		}},
	})
}
