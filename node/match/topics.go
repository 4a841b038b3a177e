package match

import (
	"context"

	"github.com/asean-tmh/tmh/node/match/segment"
)

type topicModel struct{}

func (*topicModel) Digest() [32]byte { return [32]byte{} }

type vector [104]byte

type topicQuery struct{}

func foldAll(m *topicModel, seg *segment.Segment) []vector { return nil }

func (x *Index) loadModel(s *snapshot, m *manifest) {}

func (r *ranking) scoreTopics() {}

func (r *ranking) topicReasons(s *scored, total float64) []reason { return nil }

func (x *Index) Train(ctx context.Context) error { return nil }
