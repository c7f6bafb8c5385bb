FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY cmd cmd
COPY pkg pkg
COPY .ci/notices .ci/notices
RUN .ci/notices > /third-party-notices.txt
ARG TARGETOS TARGETARCH
ARG VERSION=
# The same flags as in .goreleaser.yaml.
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -buildvcs=false \
    -ldflags "-s -w -buildid= -X github.com/derekg1729/dsnlint/pkg/command.stamped=$VERSION" -o /dsnlint ./cmd/dsnlint

FROM scratch
COPY --from=build /dsnlint /third-party-notices.txt /
COPY LICENSE /
USER 65532:65532
WORKDIR /src
ENTRYPOINT ["/dsnlint"]
