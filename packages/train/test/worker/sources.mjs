// Loaded by a worker thread before its file: lets it run sources.
import { register } from 'tsx/esm/api'

register()
