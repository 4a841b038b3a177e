// Package replica is how copies of an origin's catalogue converge, without transport and without storage: values in,
// values out.
//
// Gossip is a hint and pull is the truth. A change that follows the proven head is applied at once and proves itself by
// its state_digest (Copy.Next). Anything else raises a claim (Claims), and a pull draws the feed of the newest change of
// every record key from a holder (Copy.Draw). During a pull the drawn records are stored but not proven; the pull ends in
// proof where the set's hash equals the digest signed in the holder's head, and begins again at the proven head with
// another holder where it does not (Copy.Rewind). A pull is resumed after a restart at its cursor.
//
// Why a resumed or repeated pull wants a holder at least as far as every holder drawn from (Copy.Drawn): a holder at
// head H serves of each key only its newest record as of H. Records replaced between the cursor and H come later in its
// feed; a holder below H would not bring them.
package replica
