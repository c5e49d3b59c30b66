# The daemon alone in an empty image, as a user without rights:
#   docker build --build-arg VERSION=v1.2.3 -t tocsin .
# With the companion instead ("docker run --rm -it tocsin-tool demo"):
#   docker build --target tool -t tocsin-tool .

FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
ENV CGO_ENABLED=0
RUN go build -trimpath -buildvcs=false -ldflags "-s -w -X main.release=${VERSION}" -o /out/ ./cmd/tocsin ./cmd/tocsin-tool \
 && cp /etc/ssl/certs/ca-certificates.crt "$(go env GOROOT)/lib/time/zoneinfo.zip" /out/ \
 && mkdir -p /out/root /out/data/tocsin-data && mkdir -m 1777 /out/root/tmp

FROM scratch AS tool
# The demo keeps its files in /tmp. A directory within a copied one keeps its mode.
COPY --from=build /out/root/ /
COPY --from=build /out/tocsin-tool /tocsin-tool
USER 65534:65534
ENTRYPOINT ["/tocsin-tool"]

FROM scratch
COPY --from=build --chown=65534:65534 /out/data/ /
COPY --from=build /out/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/zoneinfo.zip /zoneinfo.zip
COPY --from=build /out/tocsin /tocsin
ENV ZONEINFO=/zoneinfo.zip
USER 65534:65534
VOLUME /tocsin-data
EXPOSE 8880
ENTRYPOINT ["/tocsin"]
