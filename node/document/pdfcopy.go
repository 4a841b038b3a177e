package document

import (
	"context"
	"errors"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"

	"github.com/asean-tmh/tmh/protocol"
)

// copier writes a new PDF from an old one. Catalog, pages and annotations are made from named entries only; what those
// refer to is copied without the entries and objects that say who, when and with what, that hold files, or that do something.
type copier struct {
	ctx    context.Context
	x      *model.XRefTable
	limits Limits
	out    *writer
	pages  []types.Dict
	number map[int]int // of the old object, in the new file; 0: left out
	wait   []waiting
	looked int64 // bytes inflated so far
	left   map[Left]bool
}

// waiting is an object that has its new number but is not copied yet. Going by a queue keeps the stack shallow.
type waiting struct {
	number int
	object types.Object
	open   bool // its keys are names that somebody chose
}

func newCopier(ctx context.Context, x *model.XRefTable, limits Limits) *copier {
	return &copier{ctx: ctx, x: x, limits: limits, number: map[int]int{}, out: newWriter(limits.PDF), left: map[Left]bool{}}
}

func (c *copier) resolve(o types.Object) types.Object {
	for range 8 {
		if _, ok := o.(types.IndirectRef); !ok {
			return o
		}
		var err error
		if o, err = c.x.Dereference(o); err != nil {
			return nil
		}
	}
	return nil
}

func (c *copier) dict(o types.Object) types.Dict {
	switch v := c.resolve(o).(type) {
	case types.Dict:
		return v
	case types.StreamDict:
		return v.Dict
	}
	return nil
}

func (c *copier) array(o types.Object) types.Array {
	a, _ := c.resolve(o).(types.Array)
	return a
}

func (c *copier) name(o types.Object) string {
	n, _ := c.resolve(o).(types.Name)
	return string(n)
}

func (c *copier) integer(o types.Object) int {
	n, _ := c.resolve(o).(types.Integer)
	return int(n)
}

// document makes the new file.
func (c *copier) document() ([]byte, error) {
	root, err := c.x.Catalog()
	if err != nil || root == nil {
		return nil, errors.Join(errors.New("no catalog"), err)
	}
	form := c.dict(root["AcroForm"])
	if b, _ := c.resolve(root["NeedsRendering"]).(types.Boolean); bool(b) && form["XFA"] != nil {
		return nil, protocol.Errorf(protocol.CodeValue, "file", "the PDF is a form that only one program can show: print it to a new PDF and send that")
	}
	if root["Collection"] != nil {
		return nil, protocol.Errorf(protocol.CodeValue, "file", "the PDF is a cover for other files: send those one by one, as PDF, JPEG or PNG")
	}
	c.leaveOf(root, form)
	catalog, tree := c.out.reserve(), c.out.reserve()
	if err := c.collect(root["Pages"], types.Dict{}, map[int]bool{}, 0); err != nil {
		return nil, err
	}
	if len(c.pages) == 0 {
		return nil, errors.New("no pages")
	}
	kids := types.Array{}
	first := tree + 1
	for i, p := range c.pages {
		kids = append(kids, reference(first+i))
		d, err := c.page(p, tree)
		if err != nil {
			return nil, err
		}
		if err := c.out.object(first+i, d); err != nil {
			return nil, err
		}
	}
	if err := c.out.object(tree, types.Dict{"Type": types.Name("Pages"), "Kids": kids, "Count": types.Integer(len(kids))}); err != nil {
		return nil, err
	}
	d, err := c.catalog(root)
	if err != nil {
		return nil, err
	}
	d["Pages"] = reference(tree)
	if err := c.out.object(catalog, d); err != nil {
		return nil, err
	}
	for len(c.wait) > 0 {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		w := c.wait[len(c.wait)-1]
		c.wait = c.wait[:len(c.wait)-1]
		if err := c.move(w); err != nil {
			return nil, err
		}
	}
	return c.out.finish(catalog, c.x.Version() >= model.V20)
}

func (c *copier) move(w waiting) error {
	if sd, ok := w.object.(types.StreamDict); ok {
		d, body, err := c.stream(sd)
		if err != nil {
			return err
		}
		return c.out.stream(w.number, d, body)
	}
	var o types.Object
	var err error
	if d, ok := w.object.(types.Dict); ok {
		o, err = c.copyDict(d, w.open, 0)
	} else {
		o, err = c.copy(w.object, 0)
	}
	if err != nil {
		return err
	}
	return c.out.object(w.number, o)
}

func reference(n int) types.IndirectRef { return *types.NewIndirectRef(n, 0) }

// collect finds the pages of a tree, which may be made to go in circles, and gives each what it inherits.
func (c *copier) collect(o types.Object, inherited types.Dict, seen map[int]bool, depth int) error {
	ref, ok := o.(types.IndirectRef)
	d := c.dict(o)
	if d == nil {
		return nil
	}
	if !ok || seen[int(ref.ObjectNumber)] || depth > maxDepth || len(seen) > maxObjects {
		return errors.New("the page tree is no tree")
	}
	seen[int(ref.ObjectNumber)] = true
	own := types.Dict{}
	for _, k := range []string{"Resources", "MediaBox", "CropBox", "Rotate"} {
		if own[k] = d[k]; own[k] == nil {
			own[k] = inherited[k]
		}
	}
	kids := c.array(d["Kids"])
	if kids == nil {
		if len(c.pages) == c.limits.Pages {
			return protocol.Errorf(protocol.CodeTooLarge, "file", "a PDF may have up to %d pages: send it in parts", c.limits.Pages)
		}
		for k, v := range d {
			if own[k] == nil {
				own[k] = v
			}
		}
		c.number[int(ref.ObjectNumber)] = c.out.reserve()
		c.pages = append(c.pages, own)
		return nil
	}
	for _, k := range kids {
		if err := c.collect(k, own, seen, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (c *copier) page(p types.Dict, tree int) (types.Dict, error) {
	d, err := c.entries(p, "MediaBox", "CropBox", "BleedBox", "TrimBox", "ArtBox", "Resources", "Contents", "Rotate", "Group", "StructParents", "Tabs", "UserUnit")
	if err != nil {
		return nil, err
	}
	d["Type"], d["Parent"] = types.Name("Page"), reference(tree)
	if d["MediaBox"] == nil {
		return nil, errors.New("a page has no size")
	}
	if d["Resources"] == nil {
		d["Resources"] = types.Dict{}
	}
	notes, err := c.annotations(p["Annots"])
	if len(notes) > 0 {
		d["Annots"] = notes
	}
	return d, err
}

// entries copies those of d that are named.
func (c *copier) entries(d types.Dict, keys ...string) (types.Dict, error) {
	out := types.Dict{}
	for _, k := range keys {
		if d[k] == nil {
			continue
		}
		v, err := c.value(k, d[k], 0)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[k] = v
		}
	}
	return out, nil
}

func (c *copier) catalog(root types.Dict) (types.Dict, error) {
	d, err := c.entries(root, "Lang", "PageLabels", "Outlines", "Dests", "OCProperties", "StructTreeRoot", "PageLayout")
	if err != nil {
		return nil, err
	}
	d["Type"] = types.Name("Catalog")
	if d["StructTreeRoot"] != nil {
		d["MarkInfo"] = types.Dict{"Marked": types.Boolean(true)}
	}
	if names := c.dict(root["Names"]); names["Dests"] != nil {
		v, err := c.copy(names["Dests"], 0)
		if err != nil {
			return nil, err
		}
		if v != nil {
			d["Names"] = types.Dict{"Dests": v}
		}
	}
	return d, nil
}

// annotations makes new ones: links within the document, and for anything else that is to be seen a stamp that looks like
// it. What they said, who wrote it, and what they did is gone.
func (c *copier) annotations(o types.Object) (types.Array, error) {
	const hidden, noView = 1 << 1, 1 << 5
	var out types.Array
	for _, e := range c.array(o) {
		a := c.dict(e)
		if a == nil {
			continue
		}
		subtype, flags := c.name(a["Subtype"]), c.integer(a["F"])
		look := c.look(a)
		c.leaveNote(a, subtype)
		var d types.Dict
		var err error
		switch subtype {
		case "Redact":
			return nil, protocol.Errorf(protocol.CodeValue, "file", "the PDF marks places to be blacked out, but what they cover is still in it: apply the redactions, or print it to a new PDF")
		case "Link":
			d, err = c.entries(a, "Rect", "QuadPoints", "Border", "C", "H")
			dest := a["Dest"]
			if act := c.dict(a["A"]); dest == nil && c.name(act["S"]) == "GoTo" {
				dest = act["D"]
			}
			if dest != nil && err == nil {
				d["Dest"], err = c.copy(dest, 0)
			}
			if d["Dest"] == nil {
				d = nil
				c.left[LeftLinks] = true
			} else {
				d["Subtype"] = types.Name("Link")
			}
		case "Text", "Popup", "FileAttachment", "Sound", "Movie", "Screen", "PrinterMark", "TrapNet", "RichMedia", "3D", "":
		default:
			if flags&(hidden|noView) != 0 {
				break
			}
			if look == nil {
				if v := c.resolve(a["V"]); subtype == "Widget" && c.name(a["FT"]) == "Tx" && v != nil && v.String() != "()" && v.String() != "<>" {
					return nil, protocol.Errorf(protocol.CodeValue, "file", "the PDF is a form whose filled fields would be lost: print it to a new PDF and send that")
				}
				d, err = c.drawing(a, subtype, flags)
				break
			}
			if d, err = c.entries(a, "Rect", "OC"); err != nil {
				return nil, err
			}
			var n types.Object
			if n, err = c.copy(*look, 0); n == nil {
				d = nil
				break
			}
			d["Subtype"], d["F"] = types.Name("Stamp"), types.Integer(flags&4|1<<6|1<<7) // printed as before; read-only, locked
			d["AP"] = types.Dict{"N": n}
		}
		if err != nil {
			return nil, err
		}
		if d != nil && d["Rect"] != nil {
			d["Type"] = types.Name("Annot")
			out = append(out, d)
		}
	}
	return out, nil
}

// drawing is a remark that viewers draw by its measures.
func (c *copier) drawing(a types.Dict, subtype string, flags int) (types.Dict, error) {
	switch subtype {
	case "Highlight", "Underline", "Squiggly", "StrikeOut", "Ink", "Line", "Square", "Circle", "Polygon", "PolyLine":
	default:
		return nil, nil
	}
	d, err := c.entries(a, "Rect", "OC", "QuadPoints", "InkList", "L", "Vertices", "C", "IC", "CA", "BS", "Border", "LE", "RD")
	if err != nil {
		return nil, err
	}
	d["Subtype"], d["F"] = types.Name(subtype), types.Integer(flags&4|1<<6|1<<7)
	return d, nil
}

// look is what an annotation looks like in the state that it is in.
func (c *copier) look(a types.Dict) *types.IndirectRef {
	n := c.dict(a["AP"])["N"]
	if states, ok := c.resolve(n).(types.Dict); ok {
		n = states[c.name(a["AS"])]
	}
	if _, ok := c.resolve(n).(types.StreamDict); !ok {
		return nil
	}
	ref, ok := n.(types.IndirectRef)
	if !ok {
		return nil
	}
	return &ref
}
