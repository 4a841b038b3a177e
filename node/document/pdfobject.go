package document

import (
	"maps"
	"slices"

	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// denied entries are nowhere copied: properties, private data, files, actions, and what stands for the whole file.
func denied(key string) bool {
	switch key {
	case "Metadata", "PieceInfo", "LastModified", "Author", "Creator", "CreatorInfo", "Producer", "CreationDate", "ModDate", "User",
		"AA", "JS", "JavaScript", "OpenAction", "PA", "URI", "SE", "PresSteps",
		"EmbeddedFiles", "EF", "RF", "AF", "XFA", "Thumb", "Alternates", "OPI", "Ref", "PtData", "Measure", "VP",
		"AcroForm", "Perms", "DSS", "Collection":
		return true
	}
	return false
}

// chosen reports whether the entry's value has names for keys that somebody chose: they mean nothing and are all copied.
func chosen(key string) bool {
	switch key {
	case "Font", "XObject", "ExtGState", "ColorSpace", "Pattern", "Shading", "Properties", "CharProcs", "Dests", "RoleMap", "ClassMap", "Colorants":
		return true
	}
	return false
}

func isAction(name string) bool {
	switch name {
	case "JavaScript", "Launch", "SubmitForm", "ResetForm", "ImportData", "URI", "GoTo", "GoToR", "GoToE", "GoToDp", "Named", "Sound", "Movie",
		"Rendition", "Thread", "Hide", "SetOCGState", "GoTo3DView", "RichMediaExecute", "Trans":
		return true
	}
	return false
}

// unwanted objects are left out wherever something refers to them.
func (c *copier) unwanted(d types.Dict, stream bool) bool {
	kind, subtype := c.name(d["Type"]), c.name(d["Subtype"])
	switch kind {
	case "Page", "Pages", "Catalog", "Annot", "Action", "Filespec", "F", "EmbeddedFile", "Metadata", "Sig", "SigRef", "DocTimeStamp", "Sound",
		"Rendition", "MediaClip", "3D", "3DView", "RichMediaContent", "OBJR", "XRef", "ObjStm", "Bead", "Thread", "OPI", "Collection":
		return true
	case "Trans":
	default:
		if isAction(c.name(d["S"])) && (d["JS"] != nil || kind != "StructElem" && d["K"] == nil) {
			return true
		}
	}
	if stream {
		return subtype == "XML" || subtype == "PS" || d["F"] != nil
	}
	return d["EF"] != nil || d["FT"] != nil || subtype != "" && d["Rect"] != nil
}

// copy of an object for the new file; nil where it is left out.
func (c *copier) copy(o types.Object, depth int) (types.Object, error) {
	if depth > maxDepth {
		return nil, errFull
	}
	switch v := o.(type) {
	case types.IndirectRef:
		return c.refer(v, false), nil
	case types.Dict:
		if c.unwanted(v, false) {
			return nil, nil
		}
		return c.copyDict(v, false, depth)
	case types.Array:
		out := make(types.Array, 0, len(v))
		for _, e := range v {
			e, err := c.copy(e, depth+1)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	case types.Name, types.Integer, types.Float, types.Boolean, types.StringLiteral, types.HexLiteral:
		return v, nil
	}
	return nil, nil
}

// refer gives an object its new number when it is met first, and has it wait to be copied.
func (c *copier) refer(ref types.IndirectRef, open bool) types.Object {
	old := int(ref.ObjectNumber)
	n, met := c.number[old]
	if !met {
		o := c.resolve(ref)
		switch v := o.(type) {
		case types.Dict:
			met = !open && c.unwanted(v, false)
		case types.StreamDict:
			met = c.unwanted(v.Dict, true)
		case nil:
			met = true
		}
		if !met {
			n = c.out.reserve()
			c.wait = append(c.wait, waiting{n, o, open})
		}
		c.number[old] = n
	}
	if n == 0 {
		return nil
	}
	return reference(n)
}

func (c *copier) copyDict(d types.Dict, open bool, depth int) (types.Dict, error) {
	out := types.Dict{}
	for _, k := range slices.Sorted(maps.Keys(d)) {
		var v types.Object
		var err error
		switch {
		case open:
			v, err = c.copy(d[k], depth+1)
		case denied(k):
			continue
		default:
			v, err = c.value(k, d[k], depth+1)
		}
		if err != nil {
			return nil, err
		}
		if v != nil {
			out[k] = v
		}
	}
	if act := c.dict(d["A"]); !open && d["Dest"] == nil && c.name(act["S"]) == "GoTo" {
		dest, err := c.copy(act["D"], depth+1)
		if err != nil {
			return nil, err
		}
		if dest != nil {
			out["Dest"] = dest
		}
	}
	return out, nil
}

// value copies that of an entry whose key means something.
func (c *copier) value(key string, v types.Object, depth int) (types.Object, error) {
	if depth > maxDepth {
		return nil, errFull
	}
	if key == "A" { // an action, or attributes of a part of the structure
		if a := c.dict(v); a != nil && a["O"] == nil {
			return nil, nil
		}
	}
	if !chosen(key) {
		return c.copy(v, depth)
	}
	if ref, ok := v.(types.IndirectRef); ok {
		_, isDict := c.resolve(ref).(types.Dict)
		return c.refer(ref, isDict && !c.isTree(ref)), nil
	}
	if d, ok := v.(types.Dict); ok && !c.isTree(d) {
		return c.copyDict(d, true, depth)
	}
	return c.copy(v, depth)
}

// isTree reports whether "chosen" names something else in this place: a font in a graphics state, a pattern's own dictionary.
func (c *copier) isTree(o types.Object) bool {
	d := c.dict(o)
	return c.name(d["Type"]) != "" || d["PatternType"] != nil || d["ShadingType"] != nil
}
