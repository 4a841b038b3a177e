package api

// Streams is what bounds streams of events.
type Streams = streams

func (s *streams) Enter(who string) error { return s.enter(who) }
func (s *streams) Leave(who string)       { s.leave(who) }
