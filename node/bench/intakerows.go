package bench

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/asean-tmh/tmh/node/intake/mapping"
	tables "github.com/asean-tmh/tmh/node/table"
)

// What stands in the files of the measurement, and how it is mapped.

func intakeColumns() []string {
	return []string{
		"Ref", "Kind", "Country", "Title", "Value", "Summary", "Keywords", "Readiness", "Protection", "Cooperation", "Partners", "Partner countries",
		"Field", "Industry", "Goals", "Published", "Description", "Stage", "Advantages", "Remark",
	}
}

func intakeMapping() mapping.Mapping {
	from := func(to, name, split string) mapping.Rule {
		return mapping.Rule{To: to, From: []string{name}, Split: split}
	}
	return mapping.Mapping{Title: "Rows of a measurement", ID: []string{"Ref"}, Rules: []mapping.Rule{
		from("listing.kind", "Kind", ""), from("listing.country", "Country", ""), from("listing.texts.en.title", "Title", ""),
		from("listing.texts.en.value", "Value", ""), from("listing.texts.en.abstract", "Summary", ""), from("listing.texts.en.keywords", "Keywords", ";"),
		from("listing.trl", "Readiness", ""), from("listing.ipr", "Protection", ";"), from("listing.cooperation", "Cooperation", ";"),
		from("listing.seeks.types", "Partners", ";"), from("listing.seeks.countries", "Partner countries", ";"), from("listing.ford", "Field", ";"),
		from("listing.isic", "Industry", ";"), from("listing.sdg", "Goals", ";"), from("listing.published", "Published", ""),
		from("record.texts.en.description", "Description", ""), from("record.texts.en.advantages", "Advantages", ""), {To: "listing.demonstration", Constant: "true"},
	}}
}

func offersMapping() mapping.Mapping {
	return mapping.Mapping{Title: "Offers", ID: []string{"id"}, Rules: []mapping.Rule{
		{To: "listing.kind", Constant: "TO"}, {To: "listing.ford", Constant: "2.11"}, {To: "listing.ipr", Constant: "none"},
		{To: "listing.texts.en.title", From: []string{"title"}, Cut: true}, {To: "listing.texts.en.abstract", From: []string{"text"}, Cut: true},
		{To: "record.texts.en.description", From: []string{"text"}, Cut: true},
	}}
}

// row i of a file, of a length that such rows have.
func (b *intakeBench) row(format tables.Format, i int, revised bool) []string {
	c := b.v.content(i)
	l, text := &c.Listing, c.Listing.Texts["en"]
	title := text.Title
	if revised {
		title = clipped("Improved "+title, len(title))
	}
	description := clipped(b.v.c.Listing(recordTexts + i).Texts["en"].Abstract, 500)
	return []string{
		fmt.Sprintf("%s-%06d", format, i), string(l.Kind), string(l.Country), title, text.Value, clipped(text.Abstract, 600), strings.Join(text.Keywords, "; "),
		fmt.Sprintf("TRL %d", 1+i%9), strings.Join(l.IPR, "; "), strings.Join(l.Cooperation, "; "), strings.Join(l.Seeks.Types, "; "), countries(l.Seeks.Countries),
		strings.Join(l.FORD, "; "), strings.Join(l.ISIC, "; "), numbers(l.SDG), fmt.Sprintf("2026-%02d-%02d", 1+i%10, 1+i%28), description,
		"in use", clipped(firstSentence(text.Abstract), 200), fmt.Sprintf("row %d", i),
	}
}

func countries[T ~string](all []T) string {
	var s []string
	for _, c := range all {
		s = append(s, string(c))
	}
	return strings.Join(s, "; ")
}

func numbers(all []uint16) string {
	var s []string
	for _, n := range all {
		s = append(s, strconv.Itoa(int(n)))
	}
	return strings.Join(s, "; ")
}

// countOffers of a file, and those that have no title and will be refused.
func countOffers(path string) (rows, untitled int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	for d := json.NewDecoder(bufio.NewReader(f)); d.More(); rows++ {
		var offer struct{ Title string }
		if err := d.Decode(&offer); err != nil {
			return 0, 0, fmt.Errorf("%s: %w", path, err)
		}
		if strings.TrimSpace(offer.Title) == "" {
			untitled++
		}
	}
	return rows, untitled, nil
}
