"""Each defence of SECURITY.md, the line that it stands in, the same line without it, and the test that must fail then.

OFF(name) becomes a question to the environment, so that all of them are built at once and taken out one at a time.
"""

FETCH = "src/Halftone/Fetch/"


def switch(name, file, old, new, test):
    return {"name": name, "file": file, "old": old, "new": new, "test": test}


SWITCHES = [
    switch("gate", FETCH + "AddressGate.cs", "return PublicAddress.IsPublic(address) ?", "return OFF(gate) ? AddressVerdict.Opened : PublicAddress.IsPublic(address) ?", test="AddressGateTests.No_way_of_writing_an_inner_address_reaches_it"),
    switch("gate", None, None, None, test="InnerNetworkTests.No_url_of_many_reaches_an_inner_address"),
    switch("gate", None, None, None, test="WebhookSenderTests.An_address_that_is_not_public_is_refused_and_nothing_is_sent"),
    switch("ranges", FETCH + "PublicAddress.cs", "return !Contains(SpecialIPv4, address);", "return OFF(ranges) || !Contains(SpecialIPv4, address);", test="PublicAddressTests.Both_ends_of_a_special_range_are_refused_and_its_public_neighbours_are_not"),
    switch("metadata", FETCH + "AddressGate.cs", "(block.IsOneAddress || !mustBeNamed)", "(OFF(metadata) || block.IsOneAddress || !mustBeNamed)", test="AddressGateTests.An_opened_network_opens_what_it_names_and_metadata_only_by_its_own_name"),
    switch("rebinding", FETCH + "SafeConnect.cs", "new IPEndPoint(addresses[index], port), share", "new IPEndPoint(OFF(rebinding) ? (await names.ResolveAsync(host, cancellationToken))[0] : addresses[index], port), share", test="AddressGateTests.A_name_that_changes_its_address_is_judged_at_each_connection_and_asked_once_for_it"),
    switch("any-refused", FETCH + "SafeConnect.cs", "if (verdict == AddressVerdict.Refused)", "if (!OFF(any-refused) && verdict == AddressVerdict.Refused)", test="AddressGateTests.A_name_with_one_inner_address_among_its_answers_is_refused_whole"),
    switch("ports", FETCH + "SafeConnect.cs", "return areOpened || options.Value.OpenPorts.Contains(port)", "return OFF(ports) || areOpened || options.Value.OpenPorts.Contains(port)", test="AddressGateTests.A_webhooks_url_can_be_judged_before_it_is_called"),
    switch("hops", FETCH + "FetchTarget.cs", "refused = Refuse(url);", "refused = OFF(hops) ? null : Refuse(url);", test="RedirectTests.A_redirect_is_judged_like_a_first_url"),
    switch("circle", FETCH + "ImageFetcher.cs", "if (!asked.Add(target.Url))", "if (!asked.Add(target.Url) && !OFF(circle))", test="RedirectTests.A_redirect_in_a_circle_ends_and_no_url_is_asked_for_twice"),
    switch("redirects", FETCH + "ImageFetcher.cs", "if (redirects == options.MaxRedirects)", "if (redirects == options.MaxRedirects && !OFF(redirects))", test="RedirectTests.Five_redirects_are_followed_and_no_more"),
    switch("credentials", FETCH + "FetchTarget.cs", "(isSameOrigin ? credentials : null)", "(OFF(credentials) || isSameOrigin ? credentials : null)", test="RedirectTests.Credentials_and_headers_of_a_host_stay_with_that_host"),
    switch("proxy", FETCH + "GuardedHttp.cs", "UseProxy = false,", "UseProxy = OFF(proxy),", test="RedirectTests.A_proxy_in_the_environment_is_not_asked_for_it_would_resolve_names_by_itself"),
    switch("certificate-downloads", FETCH + "GuardedHttp.cs", "DisableCertificateDownloads = true", "DisableCertificateDownloads = !OFF(certificate-downloads)", test="TlsTests.The_addresses_that_a_certificate_names_for_its_issuer_and_revocation_are_not_called"),
    switch("certificates", FETCH + "GuardedHttp.cs", "{ CertificateChainPolicy = ChainPolicy(trustedRoots) }", "{ CertificateChainPolicy = ChainPolicy(trustedRoots), RemoteCertificateValidationCallback = OFF(certificates) ? (_, _, _, _) => true : null }", test="TlsTests.A_certificate_nobody_vouches_for_is_refused"),
    switch("odd-names", FETCH + "FetchTarget.cs", "return url.IdnHost.Trim('.').Length > 0", "return OFF(odd-names) || url.IdnHost.Trim('.').Length > 0", test="ImageFetcherTests.A_host_that_no_name_server_could_be_asked_for_is_no_url"),
    switch("own-words", FETCH + "FetchFailure.cs", '"The answer was not valid HTTP."', 'OFF(own-words) ? exception.ToString() : "The answer was not valid HTTP."', test="HostileOriginTests.A_broken_answer_has_its_own_code_and_is_not_quoted"),
    switch("two-lengths", FETCH + "ImageFetcher.cs", "return length is not null && written.Distinct().Count() == 1;", "return OFF(two-lengths) || (length is not null && written.Distinct().Count() == 1);", test="HostileOriginTests.A_broken_answer_has_its_own_code_and_is_not_quoted"),
    switch("body-limit", FETCH + "ImageFetcher.cs", "return buffer.Length <= options.MaxBytes;", "return OFF(body-limit) || buffer.Length <= options.MaxBytes;", test="HostileOriginTests.An_endless_body_is_left_at_the_limit"),
    switch("codings", FETCH + "GuardedHttp.cs", "DecompressionMethods.GZip | DecompressionMethods.Deflate", "OFF(codings) ? DecompressionMethods.All : DecompressionMethods.GZip | DecompressionMethods.Deflate", test="HostileOriginTests.A_coding_whose_window_is_memory_that_nobody_counts_is_neither_asked_for_nor_undone"),
    switch("header-limit", FETCH + "GuardedHttp.cs", "MaxResponseHeadersLength = options.Value.MaxHeaderKiB", "MaxResponseHeadersLength = OFF(header-limit) ? 65536 : options.Value.MaxHeaderKiB", test="HostileOriginTests.Endless_headers_are_left_at_the_limit"),
    switch("least-speed", FETCH + "FetchClock.cs", "if (bytes < options.MinBytesPerSecond", "if (!OFF(least-speed) && bytes < options.MinBytesPerSecond", test="HostileOriginTests.A_body_that_trickles_in_ends_as_too_slow_before_its_time_is_up"),
    switch("attempt-time", FETCH + "FetchClock.cs", "expiry.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);", "if (!OFF(attempt-time)) { expiry.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero); }", test="HostileOriginTests.Headers_that_never_come_end_with_the_time_for_one_attempt"),
    switch("hang-ups", FETCH + "GuardedHttp.cs", "ValueTask.FromResult<Stream>(new AnsweredStream(context.PlaintextStream))", "ValueTask.FromResult<Stream>(OFF(hang-ups) ? context.PlaintextStream : new AnsweredStream(context.PlaintextStream))", test="HostileOriginTests.A_host_that_hangs_up_is_asked_once_an_attempt_on_a_new_connection_and_on_a_used_one"),
    switch("budget", FETCH + "ByteBudget.cs", "if (largeHeld + waiter.Bytes > largeShare || !IsSafe(buffer, waiter.Bytes))", "if (!OFF(budget) && (largeHeld + waiter.Bytes > largeShare || (!OFF(banker) && !IsSafe(buffer, waiter.Bytes))))", test="ByteBudgetTests.Many_bodies_that_grow_at_once_all_end_within_the_budget"),
    switch("banker", None, None, None, test="ByteBudgetTests.Bodies_that_grow_in_turns_do_not_lock_each_other_up"),
    switch("places", FETCH + "ImageFetcher.cs", "slot.GiveBack();", "if (!OFF(places)) { slot.GiveBack(); }", test="ImageFetcherTests.A_host_that_takes_its_time_gives_the_worker_slot_to_another_image"),
    switch("lending", FETCH + "HostLimiter.cs", "Lent(Host host) => Math.Min(", "Lent(Host host) => OFF(lending) ? 0 : Math.Min(", test="HostLimiterTests.Slow_requests_make_way_for_a_few_others_and_for_many_where_the_host_answers_those"),
    switch("breaker", FETCH + "HostLimiter.cs", "host.IsOpen = true;", "host.IsOpen = !OFF(breaker);", test="HostLimiterTests.Four_failures_to_connect_end_everyone_who_waits_and_asks"),
    switch("hosts", FETCH + "HostLimiter.cs", "if (hosts.Count >= MaxHosts)", "if (!OFF(hosts) && hosts.Count >= MaxHosts)", test="HostLimiterTests.Memory_is_bounded_over_any_number_of_hosts_and_busy_ones_are_kept"),
    switch("pixels", "src/Halftone.Codec/Vips/VipsTranscoder.cs", "return (Int128)width * height * frames <= maxPixels ?", "return OFF(pixels) || (Int128)width * height * frames <= maxPixels ?", test="HostileTests.The_limit_counts_all_frames_of_an_animation"),
    switch("side", "src/Halftone.Codec/Vips/VipsTranscoder.cs", "if (Math.Max(width, height) > MaxSidePixels)", "if (!OFF(side) && Math.Max(width, height) > MaxSidePixels)", test="HostileTests.A_side_longer_than_any_JPEGs_is_refused"),
    switch("frames", "src/Halftone.Codec/ImageCodec.cs", "if (from == ImageFormat.Gif && GifFrames", "if (!OFF(frames) && from == ImageFormat.Gif && GifFrames", test="HostileTests.More_than_ten_thousand_frames_are_refused_before_any_is_decoded"),
    switch("loaders", "src/Halftone.Codec/Vips/VipsStartup.cs", 'block_set("VipsForeignLoad", 1)', 'block_set("VipsForeignLoad", OFF(loaders) ? 0 : 1)', test="HostileTests.What_libvips_knows_beyond_the_served_formats_is_shut"),
    switch("half-images", "src/Halftone.Codec/Vips/VipsTranscoder.cs", 'var options = "access=sequential,fail_on=error";', 'var options = OFF(half-images) ? "access=sequential,fail_on=none" : "access=sequential,fail_on=error";', test="ImageCodecTests.A_truncated_file_is_corrupt_and_never_half_an_image"),
    switch("clean-source", "src/Halftone.Codec/CleanSource.cs", "ImageFormat.Jpeg => IsCleanJpeg(source)", "ImageFormat.Jpeg => OFF(clean-source) || IsCleanJpeg(source)", test="CleanSourceTests.A_JPEG_with_EXIF_IPTC_or_a_comment_is_not_clean"),
    switch("processor-time", "src/Halftone/Compress/CodecProcess.cs", "Number(options.CpuSeconds)", "Number(OFF(processor-time) ? 3600 : options.CpuSeconds)", test="CodecPoolTests.An_image_that_takes_too_much_processor_time_is_refused"),
    switch("child-memory", "src/Halftone/Compress/CodecProcess.cs", "Number(options.MaxChildBytes)", "Number(OFF(child-memory) ? 1L << 40 : options.MaxChildBytes)", test="CodecPoolTests.An_image_that_needs_too_much_memory_is_refused_and_the_next_one_is_served"),
    switch("second-crash", "src/Halftone/Compress/CodecSeat.cs", "if (attempt == Attempts ||", "if (attempt == (OFF(second-crash) ? 99 : Attempts) ||", test="CodecPoolTests.An_image_whose_child_dies_twice_is_refused_and_the_next_one_is_served"),
    switch("nosniff", "src/Halftone/Results/ImageEndpoint.cs", 'XContentTypeOptions = "nosniff"', 'XContentTypeOptions = OFF(nosniff) ? "" : "nosniff"', test="UploadToResultTests.Every_image_of_an_uploaded_csv_is_compressed_and_named_in_the_result"),
    switch("spool-limit", "src/Halftone/Intake/RequestIntake.cs", "if ((length += read) > maxBytes)", "if ((length += read) > maxBytes && !OFF(spool-limit))", test="ContractTests.A_small_gzip_that_holds_a_huge_file_is_refused_at_the_limit_and_leaves_nothing"),
    switch("upload-places", "src/Halftone/Intake/RequestIntake.cs", "places.Wait(0, CancellationToken.None) ?", "OFF(upload-places) || places.Wait(0, CancellationToken.None) ?", test="ContractTests.An_upload_beyond_those_that_are_taken_in_at_a_time_is_asked_to_come_again"),
    switch("framing", "src/Halftone/Status/ProblemAnswers.cs", "if (context.Request.Headers.TransferEncoding is", "if (!OFF(framing) && context.Request.Headers.TransferEncoding is", test="AttackTests.Odd_requests_slow_clients_and_a_crowd_get_answers_and_never_a_failure"),
    switch("local-only", "src/Halftone/Access/AccessGuard.cs", "return options.Value.AllowAnonymous ? null", "return OFF(local-only) || options.Value.AllowAnonymous ? null", test="AccessTests.A_server_without_keys_answers_neither_a_foreign_name_nor_a_foreign_page"),
    switch("open-address", "src/Halftone/Access/AccessGuard.cs", "if (open is not null &&", "if (!OFF(open-address) && open is not null &&", test="SettingsTests.A_wrong_setting_stops_the_start_with_a_sentence_that_names_it"),
    switch("revoked", "src/Halftone/Access/ApiKeys.cs", "QuerySingleOrDefaultAsync<KeyRow>(Sql.Find,", 'QuerySingleOrDefaultAsync<KeyRow>(OFF(revoked) ? Sql.Find.Replace(" AND revoked_at IS NULL", "") : Sql.Find,', test="AccessTests.A_revoked_key_opens_nothing_and_the_server_stays_closed"),
    switch("owners", "src/Halftone/Access/AccessGuard.cs", "Caller.Set(context, owner);", 'Caller.Set(context, OFF(owners) ? "" : owner);', test="AccessTests.Owners_see_only_their_own"),
    switch("calls", "src/Halftone/Access/AccessGuard.cs", "if (!lease.IsAcquired)", "if (!OFF(calls) && !lease.IsAcquired)", test="AccessTests.A_key_that_calls_too_often_is_told_to_wait_and_another_is_not"),
    switch("formulas", "src/Halftone/Results/ResultCsv.cs", "if (escapeFormulas &&", "if (!OFF(formulas) && escapeFormulas &&", test="ResultCsvTests.Formulas_are_guarded_when_asked_for"),
    switch("webhook-redirects", FETCH + "GuardedHttp.cs", "AllowAutoRedirect = false,", "AllowAutoRedirect = OFF(webhook-redirects),", test="WebhookSenderTests.A_redirect_is_a_failure_and_is_not_followed"),
    switch("webhook-answers", "src/Halftone/Webhooks/WebhookSender.cs", "return Judge(response);", "if (OFF(webhook-answers)) { await response.Content.ReadAsByteArrayAsync(timeoutOrStop.Token); } return Judge(response);", test="WebhookSenderTests.An_endless_answer_is_judged_by_its_status_and_cut_off"),
    switch("page-policy", "src/Halftone/Page/PageEndpoint.cs", "headers.ContentSecurityPolicy = Policy;", 'headers.ContentSecurityPolicy = OFF(page-policy) ? "" : Policy;', test="PageTests.What_a_spreadsheet_says_is_text_and_the_browser_is_told_to_take_it_for_nothing_else"),
    switch("signature", "src/Halftone/Webhooks/WebhookSender.cs", "WebhookSignature.Sign([secret], messageId, now, body.Span)", 'OFF(signature) ? "v1,AAAA" : WebhookSignature.Sign([secret], messageId, now, body.Span)', test="WebhookSenderTests.What_arrives_is_the_body_under_a_signature_that_the_reference_library_accepts"),
]
