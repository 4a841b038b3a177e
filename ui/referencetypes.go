package ui

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// How the reference says of what type something is.

// Where a description keeps what is referred to.
const (
	schemas   = "#/components/schemas/"
	responses = "#/components/responses/"
)

// typed is a schema's type in words, and where it is described.
func (s *openSchema) typed() (words, link string) {
	if len(s.AllOf) > 0 {
		return s.AllOf[0].typed()
	}
	if name, found := strings.CutPrefix(s.Ref, schemas); found {
		return name, "#type-" + name
	}
	name := ""
	switch t := s.Type.(type) {
	case string:
		name = t
	case []any:
		for _, x := range t {
			if x != "null" {
				name = fmt.Sprint(x)
			}
		}
	}
	switch {
	case name == "array" && s.Items != nil:
		words, link = s.Items.typed()
		return "list of " + words, link
	case name == "object" && len(s.AdditionalProperties) > 0:
		var values openSchema
		if json.Unmarshal(s.AdditionalProperties, &values) == nil {
			words, link = values.typed()
			return "object of " + words, link
		}
	case name == "":
		return "any", ""
	case s.Format != "" && name == "string":
		return s.Format, ""
	case name == "string":
		return "text", ""
	}
	return name, ""
}

// bounds of a value in words.
func (s *openSchema) bounds() string {
	var all []string
	if len(s.Enum) > 0 {
		var codes []string
		for _, e := range s.Enum {
			codes = append(codes, fmt.Sprint(e))
		}
		all = append(all, "one of "+strings.Join(codes, ", "))
	}
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		all = append(all, fmt.Sprintf("%g to %g", *s.Minimum, *s.Maximum))
	case s.Minimum != nil && *s.Minimum > 0:
		all = append(all, fmt.Sprintf("at least %g", *s.Minimum))
	case s.Maximum != nil:
		all = append(all, fmt.Sprintf("at most %g", *s.Maximum))
	}
	if s.MaxLength != nil {
		all = append(all, fmt.Sprintf("at most %d characters", *s.MaxLength))
	}
	if s.MaxItems != nil {
		all = append(all, fmt.Sprintf("at most %d values", *s.MaxItems))
	}
	if s.Items != nil {
		if b := s.Items.bounds(); b != "" {
			all = append(all, "each "+b)
		}
	}
	if s.Default != nil {
		all = append(all, fmt.Sprintf("%v where it is left out", exampleText(s.Default)))
	}
	return strings.Join(all, "; ")
}

// fields of an object, what is required first.
func (s *openSchema) fields() (all []referenceField) {
	for name, p := range s.Properties {
		f := referenceField{Name: name, Says: withBounds(p.Description, p.bounds()), Required: slices.Contains(s.Required, name)}
		f.Type, f.Link = p.typed()
		all = append(all, f)
	}
	slices.SortFunc(all, func(a, b referenceField) int {
		if a.Required != b.Required {
			return weight(b.Required) - weight(a.Required)
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all
}

// withBounds joins what is said of a value and its bounds.
func withBounds(words, bounds string) string {
	if words == "" || bounds == "" {
		return words + bounds
	}
	return words + " (" + bounds + ")"
}

func places(in string) int { return slices.Index([]string{"path", "query", "header"}, in) }

func weight(required bool) int {
	if required {
		return 1
	}
	return 0
}

// exampleText is an example's value as it stands in an address.
func exampleText(v any) string {
	list, ok := v.([]any)
	if !ok {
		return fmt.Sprint(v)
	}
	var all []string
	for _, x := range list {
		all = append(all, fmt.Sprint(x))
	}
	return strings.Join(all, ",")
}

// quoted for a shell.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// anchor is a name as part of an address.
func anchor(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
}
