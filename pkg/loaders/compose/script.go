package compose

import "github.com/compose-spec/compose-go/v2/types"

func (b *builder) scripts(*types.ServiceConfig) {}
