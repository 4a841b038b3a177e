package codes

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"
)

// What codes are called in the languages of TMH, as tables: a row a code ("ford:2.4"), a column a language, other words for the same
// after " | ". People read the first; the matching engine knows all of them. Written for TMH, and not checked by native speakers.
//
//go:embed labels
var labels embed.FS

// Labels are the tables' files.
func Labels() fs.FS {
	sub, err := fs.Sub(labels, "labels")
	if err != nil {
		panic(err) // of the build: the name is embedded
	}
	return sub
}

// LabelIn is what a code of a list such as "ford" is called in a language other than English, or "".
func LabelIn(language, list, code string) string { return labelled()[language+" "+list+":"+code] }

//nolint:gochecknoglobals // made once, never changed
var labelled = sync.OnceValue(func() map[string]string {
	all := map[string]string{}
	names, err := fs.Glob(Labels(), "*.tsv")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(Labels(), name)
		if err != nil {
			panic(fmt.Sprintf("codes: %v", err))
		}
		var head []string
		for line := range strings.Lines(string(text)) {
			cells := strings.Split(strings.TrimRight(line, "\n"), "\t")
			switch {
			case strings.HasPrefix(line, "#"):
			case head == nil:
				head = cells
			default:
				for i := 1; i < len(cells); i++ {
					first, _, _ := strings.Cut(cells[i], "|")
					all[head[i]+" "+cells[0]] = strings.TrimSpace(first)
				}
			}
		}
	}
	return all
})
