package document

// Bytes of the clean document, which tests look into.
func (c *Clean) Bytes() []byte { return c.data }

// PreviewBytes are a JPEG of at most 640 pixels a side, nil for a PDF.
func (c *Clean) PreviewBytes() []byte { return c.preview }
