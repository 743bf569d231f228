# syntax=docker/dockerfile:1
# halftone:0.1.0 for linux/amd64. docs/deploying.md says how to run it, and what of this file was tried where.

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
WORKDIR /source
# What restoring needs comes first: a change of the code does not restore anew.
COPY global.json Directory.Build.props Directory.Build.targets Directory.Packages.props BannedSymbols.txt .editorconfig ./
COPY src/Halftone/Halftone.csproj src/Halftone/packages.lock.json src/Halftone/
COPY src/Halftone.Codec/Halftone.Codec.csproj src/Halftone.Codec/packages.lock.json src/Halftone.Codec/
COPY src/Halftone.Csv/Halftone.Csv.csproj src/Halftone.Csv/packages.lock.json src/Halftone.Csv/
RUN dotnet restore src/Halftone -r linux-x64 --locked-mode
COPY LICENSE THIRD-PARTY-NOTICES.md ./
COPY licenses/ licenses/
COPY docs/ docs/
COPY samples/ samples/
COPY src/ src/
# With -r the program and what it brings are compiled ahead of time (ReadyToRun).
RUN dotnet publish src/Halftone -c Release -r linux-x64 --no-restore -o /published

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble
RUN install -d -o "$APP_UID" -g "$APP_UID" /data
COPY --from=build /published /opt/halftone
# Large files stand in TMPDIR on their way to S3: on the volume, and not in memory.
ENV Halftone__Data__Folder=/data \
    TMPDIR=/data \
    Halftone__Logging__Console__FormatterName=json \
    Halftone__Urls=http://0.0.0.0:4300 \
    ASPNETCORE_HTTP_PORTS= \
    DOTNET_EnableDiagnostics=0
WORKDIR /data
VOLUME /data
EXPOSE 4300
USER $APP_UID
# Open to a network, it does not start without an API key: docker run … keys add NAME makes one.
ENTRYPOINT ["/opt/halftone/halftone"]
CMD ["serve"]
# Whether it answers, not whether its database does: a restart mends no database.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["/opt/halftone/halftone", "health"]
STOPSIGNAL SIGTERM
