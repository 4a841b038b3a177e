// Package document takes in the documents and pictures of a listing, and keeps them.
//
// What is taken in: PDF, JPEG, PNG and WebP, told apart by content. Nothing of what arrives is kept as it is. A picture is
// decoded and encoded anew, so only its pixels remain: turned upright first, since the note that says how goes too. WebP,
// which cannot be encoded here, becomes JPEG, or PNG where it is lossless or lets the ground through. A PDF is written anew
// from what its pages show: the page tree, what pages refer to, outline, named places, layers and the structure that screen
// readers use. Everything else has no way into the new file: properties, XMP, attachments, scripts, actions, forms,
// signatures, comments and their authors, earlier revisions. Filled fields and drawn remarks stay visible as they look. What
// cannot be made clean is refused, with the next step.
//
// What stays: what pages or pixels show, also where it is covered or lies outside the page; alternative texts; the names
// that fonts carry; and what a program wrote under names of its own into the dictionary of a font or an image.
//
// How it is kept: by the SHA-256 of the clean bytes, in chunks, so that equal documents lie there once. The header comes after
// the chunks; a crash leaves at most chunks without a header, which Sweep removes, as it removes documents that no listing
// refers to.
package document
