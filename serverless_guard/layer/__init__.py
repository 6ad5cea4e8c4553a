"""The Lambda layer: attaches the guard to a function without a change to its code.

wrapper                      the exec wrapper, `AWS_LAMBDA_EXEC_WRAPPER=/opt/serverless-guard/wrapper`
serverless_guard.pth         what makes Python run the bootstrap when it starts
bootstrap.py                 patches the runtime client, so that the handler it resolves is guarded
serverless_guard_handler.py  the handler that stands in for the function's own
handler.py                   finds the handler behind the redirect
build.py                     makes the zip of the layer
verify.py                    compares such a zip with these sources
Dockerfile                   the same for a container image, as a text to copy
"""
