#include "serve_command.h"

#include <iostream>
#include <memory>

#include "serval/core/log.h"
#include "serval/deploy/predictor.h"
#include "serval/deploy/server.h"

namespace serval::cli {

namespace {

struct ServeArguments {
  std::string bundle;
  int batch = 16;
  deploy::ServerOptions options;
};

void serve(const Common& common, ServeArguments& arguments) {
  arguments.options.threads = threads_of(common);
  const deploy::Predictor predictor(arguments.bundle, {.device = common.device, .batch = arguments.batch});
  for (const std::string& stamp : predictor.stamps()) log_warning(stamp);
  deploy::Server server(predictor, arguments.options);
  std::cout << "serving " << predictor.name() << " at " << server.url() << std::endl;
  server.run();
}

void add_limits(CLI::App* serve, deploy::ServerOptions& o) {
  const auto add = [&](const char* name, auto& value, const char* help) {
    serve->add_option(name, value, help)->capture_default_str()->group("Limits");
  };
  add("--max-connections", o.max_connections, "open at a time");
  add("--max-uploads", o.max_uploads, "recordings being read or scored at a time");
  add("--max-streams", o.max_streams, "streams open at a time");
  add("--max-header-kib", o.max_header_kib, "head of a request, KiB");
  add("--max-body-mib", o.max_body_mib, "recording, MiB");
  add("--max-duration", o.max_duration_s, "recording, s");
  add("--max-window", o.max_window_s, "window of a stream, s");
  add("--min-hop", o.min_hop_s, "hop of a stream, s");
  add("--max-stream-rate", o.max_stream_kib_per_s, "samples of a stream, KiB a second");
  add("--max-behind", o.max_behind_s, "sound of a stream that waits to be scored, s");
  add("--max-stream", o.max_stream_s, "sound of a stream altogether, s");
  add("--header-timeout", o.header_s, "until a request's head or a stream's start message has come, s");
  add("--body-timeout", o.body_s, "until a recording has come, s");
  add("--idle-timeout", o.idle_s, "without a byte in or out, s");
  add("--drain", o.drain_s, "for what is under way when a signal ends the server, s");
}

}  // namespace

void add_serve(CLI::App& app, Common& common) {
  CLI::App* command =
      app.add_subcommand("serve",
                         "score recordings and live sound over HTTP and WebSocket, with a page for "
                         "the browser;\nSIGTERM or Ctrl-C ends it once what is under way is done");
  const auto shared = std::make_shared<ServeArguments>();
  ServeArguments& arguments = *shared;
  command->add_option("bundle", arguments.bundle, "a folder that `serval export` wrote")->required();
  command
      ->add_option("--host", arguments.options.host,
                   "address to listen at; another than loopback lets others in")
      ->capture_default_str();
  command->add_option("--port", arguments.options.port, "0: any that is free")->capture_default_str();
  command
      ->add_option("--allow-host", arguments.options.names,
                   "a name that requests may call the server by, as behind a proxy; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--batch", arguments.batch, "segments that a network reads at a time")
      ->capture_default_str()
      ->check(CLI::Range(1, 65536));
  command->add_option("--device", common.device, "auto, cpu, cuda or cuda:N");
  command->add_option("--threads", common.threads, "that score; 0: every processor")
      ->check(CLI::Range(0, 4096));
  command->add_flag("--quiet", common.quiet, "warnings and errors only");
  add_limits(command, arguments.options);
  command->callback([shared, &common] { serve(common, *shared); });
}

}  // namespace serval::cli
