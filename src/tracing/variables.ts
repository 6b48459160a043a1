import { type Static, Type } from '@sinclair/typebox'

const SAMPLERS = [
  ...(['always_on', 'always_off', 'traceidratio'] as const),
  ...(['parentbased_always_on', 'parentbased_always_off', 'parentbased_traceidratio'] as const),
]
const PROTOCOLS = ['http/protobuf', 'http/json'] as const

/** Of the variables of https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/ those that are read here. */
export const TRACING_VARIABLES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(
    Type.String({
      pattern: '^https?://[^/]',
      description: 'http(s)://HOST:PORT of an OpenTelemetry collector, which is told of requests',
    }),
  ),
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: Type.Optional(
    Type.String({ pattern: '^https?://[^/]', description: 'the same, with the whole path' }),
  ),
  OTEL_EXPORTER_OTLP_PROTOCOL: Type.Union(
    PROTOCOLS.map((each) => Type.Literal(each)),
    { default: PROTOCOLS[0], description: `${PROTOCOLS.join(' or ')}: how it is told` },
  ),
  OTEL_SERVICE_NAME: Type.String({
    default: 'employees',
    description: 'what the service is called there, and in the log',
  }),
  OTEL_TRACES_SAMPLER: Type.Union(
    SAMPLERS.map((each) => Type.Literal(each)),
    {
      default: 'parentbased_always_on',
      description: `one of ${SAMPLERS.join(', ')}: of which requests`,
    },
  ),
  OTEL_TRACES_SAMPLER_ARG: Type.String({
    default: '1',
    pattern: '^(?:0(?:\\.\\d+)?|1(?:\\.0+)?)$',
    description: 'a number from 0 to 1: of what share, where the sampler goes by that',
  }),
  OTEL_BSP_SCHEDULE_DELAY: Type.Integer({
    default: 5000,
    minimum: 1,
    maximum: 600_000,
    description: 'an integer from 1 to 600000, the milliseconds between two batches',
  }),
  OTEL_BSP_MAX_QUEUE_SIZE: Type.Integer({
    default: 2048,
    minimum: 1,
    maximum: 100_000,
    description: 'an integer from 1 to 100000, the spans that wait; others are dropped',
  }),
  OTEL_SDK_DISABLED: Type.Union([Type.Literal('true'), Type.Literal('false')], {
    default: 'false',
    description: 'true or false: is nobody told, whatever the others say?',
  }),
}

const Variables = Type.Object(TRACING_VARIABLES)

export type TracingConfig = NonNullable<ReturnType<typeof tracingOf>>

/** Undefined: nobody is told. */
export function tracingOf(variables: Static<typeof Variables>) {
  const base = variables.OTEL_EXPORTER_OTLP_ENDPOINT
  const url =
    variables.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? (base && `${base.replace(/\/$/, '')}/v1/traces`)
  if (url === undefined || variables.OTEL_SDK_DISABLED === 'true') return undefined
  return {
    url,
    protocol: variables.OTEL_EXPORTER_OTLP_PROTOCOL as (typeof PROTOCOLS)[number],
    sampler: variables.OTEL_TRACES_SAMPLER as (typeof SAMPLERS)[number],
    ratio: Number(variables.OTEL_TRACES_SAMPLER_ARG),
    batchDelayMs: variables.OTEL_BSP_SCHEDULE_DELAY,
    maxQueueSize: variables.OTEL_BSP_MAX_QUEUE_SIZE,
  }
}
