package document

import (
	"maps"
	"slices"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// Who sends a PDF is told what it had that readers will not have: a signature that is gone may be what he sent it for.

// Left is something that a PDF had beside what its pages show.
type Left string

// What is left out and told.
const (
	LeftFields     Left = "fields" // what is filled in stays to be seen
	LeftFiles      Left = "files"
	LeftLinks      Left = "links" // out of the document
	LeftMedia      Left = "media"
	LeftRemarks    Left = "remarks" // what is drawn stays to be seen
	LeftScripts    Left = "scripts"
	LeftSignatures Left = "signatures"
)

func (c *copier) leftSorted() []Left { return slices.Sorted(maps.Keys(c.left)) }

// leaveOf notes what the whole document has.
func (c *copier) leaveOf(root, form types.Dict) {
	const signed = 1
	note := func(what Left, is bool) {
		if is {
			c.left[what] = true
		}
	}
	names := c.dict(root["Names"])
	opens := c.dict(root["OpenAction"])
	note(LeftSignatures, root["Perms"] != nil || root["DSS"] != nil || c.integer(form["SigFlags"])&signed != 0)
	note(LeftFiles, names["EmbeddedFiles"] != nil || root["AF"] != nil)
	note(LeftScripts, names["JavaScript"] != nil || root["AA"] != nil || opens != nil && c.name(opens["S"]) != "GoTo")
}

// leaveNote notes what an annotation is.
func (c *copier) leaveNote(a types.Dict, subtype string) {
	switch subtype {
	case "Link", "PrinterMark", "TrapNet", "":
	case "FileAttachment":
		c.left[LeftFiles] = true
	case "Sound", "Movie", "Screen", "RichMedia", "3D":
		c.left[LeftMedia] = true
	case "Widget":
		if c.name(a["FT"]) == "Sig" {
			c.left[LeftSignatures] = true
		} else {
			c.left[LeftFields] = true
		}
	case "Stamp": // of a document that is clean already
		if a["T"] != nil || a["Contents"] != nil {
			c.left[LeftRemarks] = true
		}
	default:
		if a["T"] != nil || a["Contents"] != nil || subtype == "Text" {
			c.left[LeftRemarks] = true
		}
	}
}
