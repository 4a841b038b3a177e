package text

import snowball "github.com/kljensen/snowball/english"

// Stem is the English stem of a word in lower case.
func Stem(word string) string {
	if len(word) > maxTerm {
		return cut(word)
	}
	return snowball.Stem(word, true)
}

// englishStop reports whether an English word carries no meaning on its own. The single letters are what is left of 's,
// 't and the like.
func englishStop(word string) bool {
	switch word {
	case "a", "an", "the", "this", "that", "these", "those", "such",
		"i", "we", "you", "he", "she", "it", "they", "our", "your", "their", "its", "his", "her", "them", "us",
		"and", "or", "but", "not", "no", "nor", "if", "than", "then", "so",
		"of", "in", "on", "at", "by", "for", "from", "to", "into", "with", "as",
		"is", "are", "was", "were", "be", "been", "being", "am", "has", "have", "had", "do", "does", "did",
		"will", "would", "can", "could", "may", "there", "which", "who", "what", "s", "t":
		return true
	}
	return false
}
